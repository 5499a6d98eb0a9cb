"""When an open loop's requests are meant to begin."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.bench.schedule import Schedule
from tests.support.quick import quick


def count_due(schedule: Schedule, elapsed: float) -> int:
    number = 0
    while schedule.due(number, elapsed):
        number += 1
    return number


def test_requests_are_due_evenly_from_the_very_start() -> None:
    schedule = Schedule(rate=10, seconds=2)
    assert [schedule.intended(number) for number in range(3)] == [0.0, 0.1, 0.2]
    assert [count_due(schedule, elapsed) for elapsed in (0.0, 0.05, 0.1, 1.0)] == [1, 1, 2, 11]


def test_after_the_end_none_is_due_however_late_it_is_noticed() -> None:
    assert count_due(Schedule(rate=10, seconds=2), elapsed=60) == 20


@given(rate=st.floats(1, 500), processes=st.integers(1, 7), seconds=st.floats(0.1, 3))
@quick(100)
def test_processes_take_turns_in_the_schedule_of_one(rate: float, processes: int, seconds: float) -> None:
    parts = [Schedule(rate=rate, seconds=seconds, process=process, processes=processes) for process in range(processes)]
    moments = sorted(part.intended(number) for part in parts for number in range(count_due(part, seconds)))
    whole = Schedule(rate=rate, seconds=seconds)
    assert moments == [whole.intended(number) for number in range(count_due(whole, seconds))]
