"""What is refused first, and how long a queue is found to be."""

from __future__ import annotations

import pytest

from service.domain.pace import Pace
from service.domain.shedding import LOOKS, PATIENCE_SECONDS, Shedding, Work


def late_by(seconds: float, *, looks: int = LOOKS) -> Shedding:
    shedding = Shedding()
    for _ in range(looks):
        shedding.note(seconds)
    return shedding


@pytest.mark.parametrize(
    ("lag_seconds", "refused"),
    [
        (0.0, set()),
        (0.3, {Work.BULK}),
        (0.6, {Work.BULK, Work.MISS}),
        (1.5, {Work.BULK, Work.MISS, Work.READ}),
        (60.0, {Work.BULK, Work.MISS, Work.READ, Work.WRITE}),
    ],
)
def test_the_later_the_loop_is_the_more_is_refused_and_health_never(lag_seconds: float, refused: set[Work]):
    shedding = late_by(lag_seconds)
    assert {work for work in Work if shedding.refuses(work)} == refused
    assert shedding.refuses_reads is (Work.READ in refused)
    assert shedding.refuses_any is bool(refused)


def test_one_slow_turn_refuses_nobody_and_the_first_quick_one_ends_it():
    shedding = late_by(60.0, looks=LOOKS - 1)
    assert not any(shedding.refuses(work) for work in Work)
    shedding.note(60.0)
    assert shedding.refuses_reads
    shedding.note(0.0)
    assert not any(shedding.refuses(work) for work in Work)


def test_what_matters_more_has_more_patience():
    assert sorted(PATIENCE_SECONDS, key=PATIENCE_SECONDS.__getitem__) == [Work.BULK, Work.MISS, Work.READ, Work.WRITE]


def test_nobody_waits_while_there_is_a_place():
    pace = Pace(2)
    pace.began(0.0)
    pace.ended(0.0, 9.0)
    pace.began(10.0)
    assert pace.wait(19.0, turns_before=50) == 0.0


def test_a_queue_is_as_long_as_its_turns_at_the_present_pace():
    pace = Pace(2)
    for n in range(10):
        pace.began(float(n))
        pace.ended(float(n), n + 0.5)
    pace.began(20.0)
    pace.began(20.0)
    assert pace.wait(20.0, turns_before=0) == pytest.approx(0.75)
    assert pace.wait(20.0, turns_before=3) == pytest.approx(1.5)


def test_that_all_have_become_slow_is_known_before_the_first_of_them_ends():
    pace = Pace(3)
    for began in (1.0, 1.1, 1.2):
        pace.began(began)
    assert pace.wait(1.2, turns_before=0) < 2 < pace.wait(2.6, turns_before=0)
