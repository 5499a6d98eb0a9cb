"""What was counted lately, and the numbers that it is counted with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cache.entry import Outcome
from service.metrics import Metrics, Statistics
from service.metrics.totals import CACHE_READS, LOADS, REQUESTS, Totals, labels_of, read_totals
from service.metrics.windows import Windows
from tests.support.quick import quick
from tests.support.waiting import eventually

KEY = ("aside_fills_total", frozenset({("result", "stored")}))


def counted(number: float) -> Totals:
    return Totals({KEY: number})


def test_a_window_holds_what_was_added_in_it_and_says_how_far_it_reaches() -> None:
    windows = Windows(longest_seconds=60, step_seconds=5)
    for second in range(0, 200, 5):
        windows.add(second, counted(second))
    window = windows.over(60, 197.0, counted(197))
    assert (window.seconds, window.added[KEY]) == (62.0, 62.0)
    assert len(windows) == 13  # one of each step in a minute, and the one that a minute begins with


def test_before_the_first_snapshot_nothing_is_said_to_have_been_added_lately_that_was_not() -> None:
    window = Windows(longest_seconds=60, step_seconds=5).over(60, 3.0, counted(7))
    assert (window.seconds, window.added[KEY]) == (0.0, 0)


def test_a_young_process_has_windows_as_long_as_itself() -> None:
    windows = Windows(longest_seconds=900, step_seconds=5)
    windows.add(100.0, counted(0))
    assert windows.over(900, 112.0, counted(4)) == (12.0, {KEY: 4.0})


@given(
    steps=st.lists(st.floats(0.1, 40), min_size=1, max_size=100), asked=st.floats(1, 300), longest=st.floats(300, 900)
)
@quick(300)
def test_a_window_is_never_shorter_than_asked_nor_much_longer_and_the_ring_stays_small(
    steps: list[float], asked: float, longest: float
) -> None:
    windows, now = Windows(longest_seconds=longest, step_seconds=5), 0.0
    windows.add(now, counted(now))
    for step in steps:
        now += step
        windows.add(now, counted(now))
        window = windows.over(asked, now, counted(now))
        assert window.added[KEY] == pytest.approx(window.seconds)
        assert window.seconds >= min(asked, now) - 1e-6
        assert window.seconds <= asked + 45 + 1e-6
    assert len(windows) <= longest / 5 + 2


def test_a_stretch_holds_the_steps_that_ended_lately_with_their_rates_and_values() -> None:
    windows = Windows(longest_seconds=60, step_seconds=1)
    for second in range(0, 60, 2):
        totals = counted(3.0 * second)
        if second >= 58:  # a series that begins late began at 0
            totals["aside_fills_total", frozenset({("result", "refused")})] = 4.0
        windows.add(second, totals, at=1_000.0 + second)
    stretch = windows.lately(4, 59.0)
    assert stretch.times == [1_056.0, 1_058.0]
    assert stretch.rates("aside_fills_total", result="stored") == [3.0, 3.0]
    assert stretch.rates("aside_fills_total") == [3.0, 5.0]
    assert stretch.values("aside_fills_total", result="refused") == [0.0, 4.0]
    assert stretch.labels("aside_fills_total", "result") == ["refused", "stored"]
    assert stretch.rates("unheard_of") == [0.0, 0.0]
    assert len(windows.lately(900, 59.0).times) == 29


def test_after_the_clock_was_set_back_the_steps_begin_anew_and_the_windows_do_not() -> None:
    windows = Windows(longest_seconds=60, step_seconds=1)
    for second, at in ((0, 1_000.0), (2, 1_002.0), (4, 500.0), (6, 502.0)):
        windows.add(second, counted(second), at=at)
    assert windows.lately(60, 6.0).times == [502.0]
    assert windows.over(60, 6.0, counted(6)) == (6.0, {KEY: 6.0})


def test_of_the_times_of_requests_those_count_that_ask_for_data() -> None:
    metrics = Metrics(["country"])
    metrics.request("GET", "/v1/entities/{entity_type}/{id}", 200, 0.0004)
    metrics.request("GET", "/v1/parameters/{key}", 404, 0.003)
    metrics.request("GET", "/v1/cache/stats", 200, 0.003)
    metrics.cache_call("read", 0.0004)
    metrics.cache_call("grant", 0.0004)
    totals = read_totals(metrics.registry)
    bounds, counts = totals.buckets(REQUESTS)
    assert bounds == sorted(bounds)
    assert (counts[bounds.index(0.0005)], counts[-1]) == (1, 2)
    assert totals.buckets(CACHE_READS)[1][-1] == 1
    assert totals.buckets(LOADS)[1][-1] == 0


def test_totals_are_those_of_a_scrape_by_their_labels() -> None:
    metrics = Metrics(["country"])
    for outcome in (Outcome.HIT, Outcome.HIT, Outcome.MISS):
        metrics.read("country", outcome)
    metrics.read("unheard-of", Outcome.HIT)
    metrics.load_started(7)
    totals = read_totals(metrics.registry)
    assert totals.of("aside_cache_requests_total", outcome="hit") == 3
    assert totals.of("aside_cache_requests_total", entity_type="country") == 3
    assert totals.of("aside_db_load_batch_size_sum") == 7
    assert totals.of("aside_db_load_batch_size_count") == 1
    assert labels_of(totals, "entity_type") == ["country", "other"]
    assert not any(name.startswith(("process_", "python_")) for name, _ in totals)


async def test_what_was_counted_before_the_app_opened_is_not_of_the_last_minute() -> None:
    metrics = Metrics(["country"])
    metrics.read("country", Outcome.HIT)
    statistics = Statistics(metrics.registry)
    async with statistics.kept():
        metrics.read("country", Outcome.HIT)
        counts = await statistics.counts()
    assert counts.last_minute.added.of("aside_cache_requests_total") == 1
    assert counts.since_start.added.of("aside_cache_requests_total") == 2


async def test_snapshots_are_taken_as_long_as_the_app_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.metrics.statistics.STEP_SECONDS", 0.01)
    statistics = Statistics(Metrics().registry)
    statistics._windows = Windows(longest_seconds=60, step_seconds=0.01)
    async with statistics.kept():
        await eventually(lambda: len(statistics._windows) >= 3)
