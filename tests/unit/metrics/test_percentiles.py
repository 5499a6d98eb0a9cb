"""Percentiles of what was only counted in buckets."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.metrics.percentiles import percentile
from tests.support.quick import quick

BOUNDS = (1.0, 2.0, 5.0, math.inf)


@pytest.mark.parametrize(
    ("share", "cumulative", "seconds"),
    [
        (0.5, (0, 10, 10, 10), 1.5),  # half-way through the one bucket that has any
        (0.5, (10, 10, 10, 10), 0.5),  # the first bucket begins at 0
        (0.95, (50, 90, 100, 100), 3.5),
        (1.0, (50, 90, 100, 100), 5.0),
        (0.99, (0, 0, 0, 7), 5.0),  # beyond the last bound only the bound is known
        (0.5, (10, 4, 10, 20), 1.0),  # read while it was added to
    ],
)
def test_it_is_interpolated_inside_its_bucket(share: float, cumulative: tuple[int, ...], seconds: float) -> None:
    assert percentile(share, BOUNDS, cumulative) == pytest.approx(seconds)


@pytest.mark.parametrize(("bounds", "cumulative"), [((), ()), (BOUNDS, (0, 0, 0, 0)), ((math.inf,), (3,))])
def test_of_nothing_there_is_none(bounds: tuple[float, ...], cumulative: tuple[int, ...]) -> None:
    assert percentile(0.5, bounds, cumulative) is None


@given(seconds=st.lists(st.floats(0.001, 4.9), min_size=1, max_size=200), share=st.floats(0.01, 1))
@quick(300)
def test_it_lies_in_the_bucket_of_the_true_one(seconds: list[float], share: float) -> None:
    counted = [sum(each <= bound for each in seconds) for bound in BOUNDS]
    true = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    upper = next(bound for bound in BOUNDS if true <= bound)
    lower = max((bound for bound in BOUNDS if bound < upper), default=0.0)
    estimate = percentile(share, BOUNDS, counted)
    assert estimate is not None
    assert lower - 1e-9 <= estimate <= upper + 1e-9


@given(counts=st.lists(st.integers(0, 50), min_size=4, max_size=4), shares=st.tuples(*[st.floats(0.01, 1)] * 2))
@quick(300)
def test_a_larger_share_is_never_a_shorter_time(counts: list[int], shares: tuple[float, float]) -> None:
    cumulative = [sum(counts[: place + 1]) for place in range(4)]
    found = [percentile(share, BOUNDS, cumulative) for share in sorted(shares)]
    assert found == [None, None] if not sum(counts) else found[0] <= found[1] + 1e-9  # type: ignore[operator]
