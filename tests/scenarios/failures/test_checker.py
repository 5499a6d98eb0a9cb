"""The judge of all histories is shown wrong ones, and right ones that look wrong."""

from __future__ import annotations

import httpx
import pytest

from tests.support.checker import violations
from tests.support.load import Operation


def step(began: float, ended: float, version: int, *, is_write: bool = False, **changes: object) -> Operation:
    headers = httpx.Headers({"etag": f'"{version}"', "cache-status": str(changes.pop("cache_status", "aside; hit"))})
    given = {"key": "k", "url": "u", "status": 200, "body": str(version).encode()} | changes
    return Operation(is_write=is_write, began=began, ended=ended, headers=headers, **given)  # type: ignore[arg-type]


def written(began: float, ended: float, version: int, **changes: object) -> Operation:
    return step(began, ended, version, is_write=True, **changes)


GOOD = {
    "reads before, beside and after a write": [step(0, 1, 1), written(2, 5, 2), step(3, 4, 1), step(6, 7, 2)],
    "a read that began before the acknowledgement and ends after it": [step(0, 9, 1), written(1, 2, 2)],
    "a write seen before it is acknowledged": [written(0, 9, 2), step(1, 2, 2), step(3, 4, 2)],
    "two reads at the same time, one of each value": [step(0, 5, 2), step(1, 4, 1)],
    "a write that failed, and never happened": [written(0, 1, 3, status=503), step(2, 3, 2)],
    "another key": [step(0, 1, 5), step(2, 3, 1, key="other")],
    "a value marked as stale": [step(0, 1, 2), step(2, 3, 1, cache_status="aside; hit; detail=stale-if-error")],
}
BAD = {
    "a read below an acknowledged write": [written(0, 1, 2), step(2, 3, 1)],
    "a read below an earlier read": [step(0, 1, 2), step(2, 3, 1)],
    "a read below a read of a write that was never acknowledged": [
        written(0, 9, 2, status=0),
        step(1, 2, 2),
        step(3, 4, 1),
    ],
    "a read below what was known long before the newest end": [step(0, 1, 3), step(0, 2, 1), step(4, 5, 2)],
    "nothing, where something was acknowledged": [written(0, 1, 2), step(2, 3, 0, status=404)],
    "a write below an earlier write": [written(0, 1, 5), written(2, 3, 4)],
    "a write with a version that was there before": [step(0, 1, 5), written(2, 3, 5)],
    "one version with two bodies": [step(0, 5, 2), step(0, 5, 2, body=b"else")],
}


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_a_possible_history_passes(history: list[Operation]) -> None:
    assert violations(history) == []


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_an_impossible_history_is_found_out(history: list[Operation]) -> None:
    assert len(violations(history)) == 1


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_the_order_of_the_records_does_not_matter(history: list[Operation]) -> None:
    assert len(violations(reversed(history))) == 1
