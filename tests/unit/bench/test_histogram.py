"""The histogram against the latencies themselves."""

from __future__ import annotations

import math
import pickle

from hypothesis import given
from hypothesis import strategies as st

from service.bench.histogram import LONGEST_US, Histogram
from tests.support.quick import quick

# As likely in each decade: from a microsecond to minutes.
latencies = st.one_of(
    st.integers(0, 600), st.floats(0, math.log(LONGEST_US)).map(lambda power: min(int(math.exp(power)), LONGEST_US))
)
PERCENTS = (0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0)


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for us in values:
        histogram.record(us)
    return histogram


def exact(values: list[int], percent: float) -> int:
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]


def state(histogram: Histogram) -> tuple[object, ...]:
    return list(histogram.buckets()), histogram.total_us, histogram.longest_us


@given(st.lists(latencies, min_size=1, max_size=300))
@quick(300)
def test_a_percentile_is_never_below_the_exact_one_and_less_than_one_percent_above(values: list[int]) -> None:
    histogram = histogram_of(values)
    for percent in PERCENTS:
        truth = exact(values, percent)
        assert truth <= histogram.percentile_us(percent) <= truth * 1.01
    assert histogram.percentile_us(100) == histogram.longest_us == max(values)
    assert histogram.mean_us == sum(values) / len(values)


@given(st.lists(latencies, max_size=100), st.lists(latencies, max_size=100))
@quick(200)
def test_two_added_up_are_the_histogram_of_all(first: list[int], second: list[int]) -> None:
    both = histogram_of(first)
    both.add(histogram_of(second))
    assert state(both) == state(histogram_of(first + second))


@given(st.lists(latencies, max_size=100), st.lists(latencies, min_size=1, max_size=100))
@quick(200)
def test_what_was_recorded_since_has_the_counts_of_the_later_ones(before: list[int], later: list[int]) -> None:
    since, alone = histogram_of(before + later).since(histogram_of(before)), histogram_of(later)
    assert list(since.buckets()) == list(alone.buckets())
    assert since.total_us == alone.total_us
    assert max(later) <= since.longest_us <= max(later) * 1.01 or since.longest_us == max(before + later)


@given(st.lists(latencies, max_size=100))
@quick(100)
def test_it_is_the_same_after_it_was_sent(values: list[int]) -> None:
    sent = pickle.loads(pickle.dumps(histogram_of(values)))
    assert state(sent) == state(histogram_of(values))
    sent.record(7)
    assert sent.count == len(values) + 1


def test_what_is_longer_than_the_longest_is_counted_as_that_and_remembered_as_it_is() -> None:
    histogram = histogram_of([LONGEST_US * 5, -3])
    assert [tuple(bucket) for bucket in histogram.buckets()] == [(0, 1), (LONGEST_US, 1)]
    assert histogram.longest_us == LONGEST_US * 5


def test_of_nothing_there_is_nothing_to_tell() -> None:
    assert (Histogram().percentile_us(99), Histogram().mean_us, Histogram().count) == (0, 0.0, 0)
