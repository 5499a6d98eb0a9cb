"""Lifetimes, and who refreshes early: time and chance are arguments, so all of it can be computed."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from service.cache.entry import Entry
from service.cache.policy import (
    MIN_REFRESH_COST_MS,
    Policy,
    Verdict,
    certain_lead_ms,
    judge,
    lifetimes,
    may_serve_stale,
)
from tests.support.quick import quick

draws = st.floats(2**-53, 1)  # what `1 - random()` can be
moments = st.integers(0, 2**45)
policies = st.builds(
    Policy,
    ttl_seconds=st.floats(0.001, 1e6),
    jitter=st.floats(0, 0.5),
    negative_ttl_seconds=st.floats(0.001, 1e6),
    stale_if_error_seconds=st.floats(0, 1e6),
    early_refresh_beta=st.floats(0, 10),
)


def entry(*, fresh_until_ms: int, cost_ms: int = 100) -> Entry:
    return Entry(1, b"g.1", cost_ms, 0, fresh_until_ms, fresh_until_ms, 0, b"1")


@quick(60)
@given(policies, moments, draws, st.booleans(), st.none() | st.floats(0.001, 1e6))
def test_an_entry_is_fresh_for_a_while_and_never_longer_than_it_is_kept(
    policy: Policy, now_ms: int, draw: float, negative: bool, ttl_seconds: float | None  # noqa: FBT001 (drawn)
):  # fmt: skip
    lives = lifetimes(policy, now_ms, draw, negative=negative, ttl_seconds=ttl_seconds)
    assert now_ms < lives.fresh_until_ms <= lives.stale_until_ms


@quick(60)
@given(policies, moments, draws, st.floats(1, 1e6))
def test_jitter_only_shortens_and_by_no_more_than_its_share(
    policy: Policy, now_ms: int, draw: float, ttl_seconds: float
):
    lives = lifetimes(policy, now_ms, draw, negative=False, ttl_seconds=ttl_seconds)
    whole_ms = ttl_seconds * 1000
    assert whole_ms * (1 - policy.jitter) - 1 <= lives.fresh_until_ms - now_ms <= whole_ms + 1


def test_the_lifetime_of_an_entity_wins_over_its_types_but_not_for_its_absence():
    policy = Policy(ttl_seconds=300, negative_ttl_seconds=30, jitter=0)
    assert lifetimes(policy, 0, 1.0, negative=False, ttl_seconds=7).fresh_until_ms == 7_000
    assert lifetimes(policy, 0, 1.0, negative=False, ttl_seconds=None).fresh_until_ms == 300_000
    assert lifetimes(policy, 0, 1.0, negative=True, ttl_seconds=7).fresh_until_ms == 30_000


def test_what_is_stale_is_kept_for_as_long_as_it_may_answer():
    policy = Policy(ttl_seconds=10, jitter=0, stale_if_error_seconds=60)
    assert lifetimes(policy, 0, 1.0, negative=False, ttl_seconds=None).stale_until_ms == 70_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttl_seconds": 0},
        {"negative_ttl_seconds": -1},
        {"jitter": 0.6},
        {"jitter": -0.1},
        {"stale_if_error_seconds": -1},
        {"early_refresh_beta": -1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="must"):
        Policy(**wrong)  # type: ignore[arg-type]


# -- XFetch ----------------------------------------------------------------------------------------------------------


@quick(300)
@given(moments, moments, draws, st.floats(0, 10), st.integers(1, 10_000))
@example(now_ms=0, fresh_until_ms=3_673_680, draw=2**-53, beta=10.0, cost_ms=10_000)
def test_the_verdict_is_the_formula_of_the_paper_and_certain_when_little_is_left(
    now_ms: int, fresh_until_ms: int, draw: float, beta: float, cost_ms: int
):
    verdict = judge(entry(fresh_until_ms=fresh_until_ms, cost_ms=cost_ms), now_ms, draw, beta)
    if now_ms >= fresh_until_ms:
        assert verdict is Verdict.EXPIRED
    else:
        drawn_ms = -max(cost_ms, MIN_REFRESH_COST_MS) * beta * math.log(draw)
        lead_ms = max(drawn_ms, certain_lead_ms(entry(fresh_until_ms=fresh_until_ms, cost_ms=cost_ms))) if beta else 0
        assert verdict is (Verdict.REFRESH if lead_ms >= fresh_until_ms - now_ms else Verdict.FRESH)


@quick(60)
@given(st.integers(1, 10**6), draws, draws, st.floats(0, 10))
def test_a_smaller_draw_never_refreshes_later(left_ms: int, draw: float, other: float, beta: float):
    low, high = sorted((draw, other))
    if judge(entry(fresh_until_ms=left_ms), 0, high, beta) is Verdict.REFRESH:
        assert judge(entry(fresh_until_ms=left_ms), 0, low, beta) is Verdict.REFRESH


@quick(30)
@given(st.integers(1, 10**6), draws)
def test_beta_0_switches_early_refresh_off(left_ms: int, draw: float):
    assert judge(entry(fresh_until_ms=left_ms), 0, draw, 0.0) is Verdict.FRESH


@quick(30)
@given(st.floats(0.1, 10), st.integers(1, 5_000), st.integers(1, 5_000))
def test_the_share_of_draws_that_refresh_falls_off_exponentially(beta: float, cost_ms: int, left_ms: int):
    """P(−c·β·ln u ≥ left) = exp(−left / (c·β)), up to the grid of a thousand evenly spaced draws."""
    assume(left_ms > certain_lead_ms(entry(fresh_until_ms=left_ms, cost_ms=cost_ms)))
    count = 1_000
    judged = [judge(entry(fresh_until_ms=left_ms, cost_ms=cost_ms), 0, n / count, beta) for n in range(1, count + 1)]
    share = judged.count(Verdict.REFRESH) / count
    assert share == pytest.approx(math.exp(-left_ms / (max(cost_ms, MIN_REFRESH_COST_MS) * beta)), abs=2 / count)


# -- stale-if-error --------------------------------------------------------------------------------------------------


@quick(60)
@given(st.integers(1, 10**6), moments, st.floats(0, 1e4), st.none() | st.floats(0, 1e4))
def test_a_stale_value_answers_for_the_longer_of_what_policy_and_reader_allow(
    fresh_until_ms: int, now_ms: int, allowed: float, asked: float | None
):
    policy = Policy(stale_if_error_seconds=allowed)
    longest_ms = max(allowed, asked or 0.0) * 1000
    assume(abs(now_ms - fresh_until_ms - longest_ms) > 1)
    may = may_serve_stale(policy, entry(fresh_until_ms=fresh_until_ms), now_ms, asked)
    assert may is (longest_ms > 0 and now_ms < fresh_until_ms + longest_ms)


def test_by_default_no_stale_value_answers():
    assert not may_serve_stale(Policy(), entry(fresh_until_ms=10), 5, None)
