"""How sure a sample makes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.nines import nines, statement, upper_bound
from tests.support.quick import quick


@pytest.mark.parametrize(
    ("checked", "stale", "count"), [(0, 0, 0), (29, 0, 0), (30, 0, 1), (2_999, 0, 2), (3_000, 0, 3), (10_000, 1, 3)]
)
def test_none_stale_of_three_thousand_are_three_nines(checked: int, stale: int, count: int) -> None:
    assert nines(checked, stale) == count


@given(checked=st.integers(4, 10**7))
@quick(200)
def test_the_rule_of_three_is_never_more_hopeful_than_the_exact_bound(checked: int) -> None:
    assert upper_bound(checked, 0) >= -math.expm1(math.log(0.05) / checked)


@given(checked=st.integers(20, 2_000), share=st.floats(0, 1))
@quick(200)
def test_a_stale_one_more_never_makes_surer_and_a_good_one_more_never_less_sure(checked: int, share: float) -> None:
    stale = round(share * checked)
    assert upper_bound(checked, stale) >= stale / checked - 1e-9
    assert upper_bound(checked, min(checked, stale + 1)) >= upper_bound(checked, stale) - 1e-9
    assert upper_bound(checked + 1, stale) <= upper_bound(checked, stale) + 1e-9


def test_wilsons_bound_is_the_one_worked_out_by_hand() -> None:
    assert upper_bound(100, 10) == pytest.approx((0.1135277 + 1.6448536 * 0.0311066) / 1.0270554, abs=1e-6)


def test_it_is_said_in_words() -> None:
    assert statement(4_210, 0, bound_seconds=2) == (
        "3 nines: at 95 % confidence fewer than 1 in 1,000 cached answers is older than B (2 s); "
        "0 stale of 4,210 samples"
    )
    assert statement(40, 0, bound_seconds=0.5).startswith("1 nine: at 95 % confidence fewer than 1 in 10 cached")
    assert statement(10, 0, bound_seconds=2).startswith("0 nines: at 95 % confidence up to 0.3 of the cached answers")
    assert statement(0, 0, bound_seconds=2) == "nothing can be said yet: no cached answer has been checked"
