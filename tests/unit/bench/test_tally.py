"""What is counted, and how it adds up."""

from __future__ import annotations

import pickle
from copy import deepcopy

import pytest

from service.bench.mix import Kind
from service.bench.tally import Report, Tally, together


def some() -> Tally:
    tally = Tally()
    for status, outcome, us in ((200, "hit", 500), (200, "miss", 3000), (404, "negative_hit", 400)):
        tally.answered(status, outcome, us, is_error=False)
    tally.answered(503, "", 100, is_error=True)
    tally.failed("timeout", 5_000_000)
    tally.failed("broken")
    return tally


def test_errors_are_requests_too_and_say_how_they_came_about() -> None:
    tally = some()
    assert (tally.requests, tally.errors) == (6, 3)
    assert tally.failures == {"status": 1, "timeout": 1, "broken": 1}
    assert tally.statuses == {200: 2, 404: 1, 503: 1}


def test_giving_up_counts_as_the_time_that_was_waited_and_breaking_off_as_none() -> None:
    assert some().latencies.count == 5
    assert some().latencies.longest_us == 5_000_000


def test_the_hit_ratio_is_over_the_reads_that_a_cache_spoke_of() -> None:
    tally = some()
    tally.answered(200, "applied", 900, is_error=False)
    tally.answered(200, "other", 900, is_error=False)
    assert tally.hit_ratio == pytest.approx(2 / 3)
    assert Tally().hit_ratio is None


def test_what_came_since_an_earlier_state_is_the_difference() -> None:
    tally = some()
    before = deepcopy(tally)
    tally.answered(200, "hit", 700, is_error=False)
    later = tally.since(before)
    assert (later.requests, later.errors, later.outcomes, later.failures) == (1, 0, {"hit": 1}, {})
    assert [bucket.times for bucket in later.latencies.buckets()] == [1]


def test_reports_of_several_processes_add_up_and_the_longest_counts_for_all() -> None:
    first = Report({Kind.READS: some()}, seconds=2.0, late=3, latest=0.2, busy=0.5, waiting=7)
    second = Report({Kind.READS: some(), Kind.WRITES: some()}, seconds=2.5, late=1, latest=0.1, busy=0.7, waiting=1)
    whole = together([first, pickle.loads(pickle.dumps(second))])
    assert (whole.total.requests, whole.tallies[Kind.READS].requests) == (18, 12)
    assert (whole.seconds, whole.late, whole.latest, whole.busy, whole.waiting) == (2.5, 4, 0.2, 0.7, 8)
    assert first.tallies[Kind.READS].requests == 6
