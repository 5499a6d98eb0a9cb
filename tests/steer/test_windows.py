"""What is made of the times of hits: which count in which window, and what is said of a way of steering."""

from __future__ import annotations

import time
from array import array

import pytest

from tests.bench.ratios import Spread
from tests.steer.goals import GOALS
from tests.steer.load import Hits, Timed
from tests.steer.plan import Plan
from tests.steer.report import Report, markdown
from tests.steer.slowlog import NOTHING, Slowest
from tests.steer.ways import DEFAULT, PURGE_PREFIX
from tests.steer.windows import Leg, Pair, Turns, Window


def hits_of(*pairs: tuple[float, float]) -> Hits:
    """When each was due, and how many seconds it took."""
    hits = Hits()
    hits.fill(array("d", [number for due, took in pairs for number in (due, took, took / 2)]), misses={})
    return hits


def leg_of(*p99s: tuple[float, float], longest: float = 9.0) -> Leg:
    """The p99 in ms of each calm window, and of the busy one behind it."""
    pairs = [(float(at), calm / 1000) for at, (calm, _) in zip(range(0, 99, 2), p99s, strict=False)]
    pairs += [(float(at), busy / 1000) for at, (_, busy) in zip(range(1, 99, 2), p99s, strict=False)]
    windows = [
        Pair(Window(at, at + 1, 0, NOTHING), Window(at + 1, at + 2, 500, Slowest(longest, "SCAN")))
        for at in range(0, 2 * len(p99s), 2)
    ]
    leg = Leg("jobs", windows)
    leg.count(hits_of(*pairs))
    return leg


def test_a_hit_belongs_to_the_window_in_which_it_was_due_however_late_it_was_answered():
    hits = hits_of((2.0, 0.001), (0.5, 5.0), (1.0, 0.002), (1.9, 0.004))
    assert hits.between(1.0, 2.0) == Timed(hits=2, p50=2.0, p99=4.0, longest=4.0, longest_in_valkey=2.0)
    assert hits.between(0.0, 1.0) == Timed(hits=1, p50=5000.0, p99=5000.0, longest=5000.0, longest_in_valkey=2500.0)


def test_a_window_without_hits_says_nothing():
    with pytest.raises(ValueError, match="no values"):
        hits_of((2.0, 0.001)).between(0.0, 1.0)


def test_ratios_are_made_between_neighbours_and_their_median_counts():
    leg = leg_of((1.0, 1.1), (10.0, 30.0), (2.0, 2.4))
    assert leg.p99_ratio == pytest.approx(Spread(1.2, 1.1, 3.0))
    assert leg.noise == pytest.approx(Spread((10.0 + 0.2) / 2, 0.2, 10.0))
    assert leg.items == 1_500
    assert leg.per_second.median == 500


def test_a_goal_that_is_missed_is_said_to_be_missed_and_of_what_was_not_measured_nothing_is_said():
    [slow, *_, walk, _] = GOALS
    assert slow.line({DEFAULT: leg_of((1.0, 1.2))}).endswith("1.20, and at most 1.2 is wanted: **reached**")
    assert slow.line({DEFAULT: leg_of((1.0, 1.3))}).endswith("**MISSED**")
    assert walk.line({PURGE_PREFIX: leg_of((1.0, 19.0), (1.0, 21.0))}).endswith("**MISSED**"), "the worst counts"
    assert walk.line({}) == ""
    assert walk.is_reached({})


def test_the_report_names_every_way_with_its_figures():
    legs = {DEFAULT: leg_of((1.0, 1.5), (2.0, 3.0), longest=7.5)}
    command = "python -m tests.steer"
    text = markdown(Report(Plan(), legs, {"503": 3}, is_valkey_first=False, cores="one", command=command))
    assert "| jobs | 2 | 1,000 | 500 | 1.50 (1.00 – 2.00) | 2.25 (1.50 – 3.00) | 1.50 (1.50 – 1.50) | 2.00" in text
    assert "| 7.5 SCAN |" in text
    assert "Nobody goes ahead" in text
    assert "No hits were: 3 × `503`." in text
    assert "Every request was a hit." in markdown(
        Report(Plan(), legs, {}, is_valkey_first=False, cores="one", command=command)
    )


def test_a_calm_window_stands_before_each_busy_one_and_what_was_slow_between_them_counts_in_neither():
    log, passed, leg = [Slowest(90, "GET")], [], Leg("jobs")

    def work() -> int:
        log.append(Slowest(2, "GET"))
        return 7

    turns = Turns(calm_seconds=0.01, slowest=lambda: max(log, default=NOTHING), forget=log.clear, passed=passed.append)
    turns.take(leg, work)
    [pair] = leg.pairs
    assert (pair.calm.items, pair.busy.items) == (0, 7)
    assert (pair.calm.slowest.ms, pair.busy.slowest.ms) == (0, 2)
    assert pair.calm.begins < pair.calm.ends < pair.busy.begins <= pair.busy.ends
    assert passed == [pair.busy.ends - pair.calm.begins]


def test_behind_a_purge_it_is_calm_for_as_long_as_it_took():
    leg, begun = Leg("a purge"), []

    def work() -> int:
        begun.append(time.monotonic())
        while time.monotonic() < begun[0] + 0.05:
            pass
        return 7

    turns = Turns(calm_seconds=9.0, slowest=lambda: NOTHING, forget=lambda: None, passed=lambda _: None)
    turns.take_before_as_long_a_calm(leg, work)
    [pair] = leg.pairs
    assert (pair.calm.items, pair.busy.items) == (0, 7)
    assert pair.busy.begins <= begun[0] < pair.busy.ends < pair.calm.begins
    assert pair.busy.ends - pair.busy.begins <= pair.calm.ends - pair.calm.begins < 9.0
