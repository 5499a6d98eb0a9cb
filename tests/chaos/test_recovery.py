"""When hits come again is read out of their moments, whatever else happens in between."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.campaign import Episode
from tests.chaos.plan import Fault
from tests.chaos.recovery import failovers, until_hits_again


@pytest.mark.parametrize(
    ("hits", "seconds"),
    [
        ([9.9, 10.0, 10.05, 12.5, 12.6, 20.1], 2.5),  # it still answered for a moment
        ([9.9, 10.0, 11.5, 11.6, 14.0], 4.0),  # the longest of those that begin soon
        ([9.9, 12.5, 12.6, 12.7, 20.0], 2.5),  # a later pause is somebody else's
        ([1.0, 10.9, 11.1, 12.4, 12.5], 2.4),  # what lies before the begin does not count
        ([9.9, 10.0, 16.0], 6.0),
        ([9.9, 10.0, 10.1], None),  # never again
        ([], None),
    ],
)
def test_hits_are_back_at_the_end_of_the_longest_pause(hits: list[float], seconds: float | None) -> None:
    found = until_hits_again(hits, 10.0)
    assert found == (None if seconds is None else pytest.approx(seconds))


def hitting_but(first_again: float, second_again: float) -> list[float]:
    """Ten hits a second, but none from 10 to the first moment, and from 30 to the second."""
    moments = [number / 10 for number in range(400)]
    return [at for at in moments if not 10 <= at < first_again and not 30 <= at < second_again]


def episode(kind: str, began: float, healed: float) -> Episode:
    return Episode(Fault(began, kind, "", 1.0), began, healed, healed)


def test_a_failover_ends_for_the_first_and_for_all_and_is_alone_where_no_other_fault_held() -> None:
    hits = [hitting_but(11.9, 31.0), hitting_but(12.5, 30.5), hitting_but(11.5, 31.5)]
    outcome: Any = SimpleNamespace(
        seconds=60.0,
        tally=SimpleNamespace(hit_at=hits),
        episodes=[
            episode("kill primary", 10.0, 13.0),
            episode("cut link", 31.2, 31.4),
            episode("sentinel failover", 30.0, 33.0),
        ],
    )
    killed, told = failovers(outcome)
    assert (killed.kind, killed.alone, killed.seconds, killed.seconds_of_all) == ("kill primary", True, 1.5, 2.5)
    assert (told.kind, told.alone) == ("sentinel failover", False)
