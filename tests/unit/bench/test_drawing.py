"""What the pictures say is what the histogram has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.bench.drawing import PERCENTS, bar, milliseconds, rows_of, share, sparkline
from service.bench.histogram import LONGEST_US, Histogram
from tests.support.quick import quick


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for us in values:
        histogram.record(us)
    return histogram


@given(st.lists(st.integers(0, LONGEST_US * 3), min_size=1, max_size=100))
@quick(200)
def test_rows_hold_every_latency_once_in_growing_order_and_every_percentile_is_marked_once(values: list[int]) -> None:
    rows = rows_of(histogram_of(values))
    uppers = [row.upper_ms for row in rows]
    assert sum(row.requests for row in rows) == len(values)
    assert uppers == sorted(set(uppers))
    assert rows[0].requests > 0
    assert rows[-1].requests > 0
    assert [mark for row in rows for mark in row.marks] == [f"p{percent:g}" for percent in PERCENTS]


def test_a_percentile_stands_beside_the_row_that_it_falls_into() -> None:
    rows = rows_of(histogram_of([900] * 98 + [4000, 40_000]))
    assert [(row.upper_ms, row.requests, row.marks) for row in rows if row.requests] == [
        (1.0, 98, ("p50", "p90")),
        (5.0, 1, ("p99",)),
        (50.0, 1, ("p99.9",)),
    ]
    assert (1.5, 0) in [(row.upper_ms, row.requests) for row in rows]


def test_of_nothing_there_are_no_rows() -> None:
    assert rows_of(Histogram()) == []


def test_a_bar_is_as_long_as_its_share_and_something_is_never_nothing() -> None:
    assert bar(10, 10, width=4) == "████"
    assert bar(5, 10, width=4) == "██"
    assert bar(3, 16, width=4) == "▊"
    assert bar(1, 1_000_000, width=4) == "▏"
    assert bar(0, 10, width=4) == ""


def test_a_line_of_values_reaches_from_nothing_to_the_highest() -> None:
    assert sparkline([0, 4, 8]) == "▁▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


def test_a_hit_ratio_is_not_rounded_up_to_all() -> None:
    assert [share(ratio) for ratio in (1.0, 0.999999, 0.5, None)] == ["100.00 %", "99.99 %", "50.00 %", "–"]


def test_milliseconds_have_three_digits() -> None:
    assert [milliseconds(us) for us in (1234, 12_345, 123_456, 1_234_567)] == ["1.23", "12.3", "123", "1,235"]
