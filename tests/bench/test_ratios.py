"""Ratios by round, and what becomes of a round that failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.ratios import Spread, best, percentile, ratios, spread


def test_a_ratio_is_made_inside_a_round_so_noise_that_hits_both_sides_is_gone():
    assert spread(ratios([100, 50, 10], [200, 100, 20])) == Spread(0.5, 0.5, 0.5)


def test_the_median_of_the_ratios_is_reported_and_not_the_ratio_of_the_medians():
    assert spread(ratios([1, 4, 9], [1, 1, 3])) == Spread(3, 1, 4)


def test_a_round_that_failed_has_no_ratio():
    assert ratios([None, 4, 9, 9], [1, None, 3, 0]) == [None, None, 3, None]


def test_where_every_round_failed_nothing_was_found():
    assert spread([None, None]) is None
    assert spread([]) is None


def test_the_best_of_each_round_may_be_another_one_each_time():
    assert best([[1, 5, None], [3, 2, None]]) == [3, 5, None]
    assert best([]) == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_smallest_value_that_enough_others_do_not_exceed(values, share):
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_a_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
