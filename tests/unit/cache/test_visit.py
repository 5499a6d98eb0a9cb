"""What one read may still spend on Redis, and what suits it."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import NO_WISH, Detail, Entry, Outcome, Wish
from service.cache.policy import Policy
from service.cache.visit import Visit, answer_entry, suits
from service.domain.row import VersionedRow
from service.errors import CacheUnavailableError

ENTRY = Entry(5, b"g.1", 3, 1_000, 9_000, 9_000, 7, b"1")


def visit(*, left_seconds: float = 1.0) -> Visit:
    return Visit(name="country:JP", policy=Policy(), wish=NO_WISH, left_seconds=left_seconds)


async def value() -> str:
    return "value"


async def test_what_comes_in_time_is_handed_on_and_accounted():
    here = visit()
    assert await here.spend(value()) == "value"
    assert here.left_seconds < 1.0
    assert here.cache_ms == pytest.approx((1.0 - here.left_seconds) * 1000)


async def test_what_takes_longer_than_what_is_left_counts_as_an_outage_of_redis():
    here = visit(left_seconds=0.002)
    with pytest.raises(CacheUnavailableError):
        await here.spend(asyncio.Event().wait())
    assert here.left_seconds <= 0


async def test_all_waits_share_one_budget():
    here = visit(left_seconds=0.002)
    here.account(0.003)
    with pytest.raises(CacheUnavailableError):
        await here.spend(asyncio.Event().wait())
    assert here.cache_ms >= 3


def test_a_row_is_answered_with_the_times_spent():
    here = visit()
    here.account(0.005)
    here.load_ms = 3.0
    answer = here.answer_row(VersionedRow(4, b"1", 9), Outcome.BYPASS, Detail.LEASE_BUSY)
    assert (answer.version, answer.body, answer.modified_at_ms, answer.load_ms) == (4, b"1", 9, 3.0)
    assert answer.cache_ms == pytest.approx(5.0)


def test_a_stale_answer_says_how_old_it_is_and_how_far_past_its_freshness():
    answer = visit().answer_stale(ENTRY, now_ms=10_000)
    assert (answer.outcome, answer.age_ms, answer.ttl_ms) == (Outcome.STALE, 9_000, -1_000)
    assert answer.detail is Detail.STALE_IF_ERROR


def test_a_hit_says_how_old_it_is_and_how_long_it_is_good():
    answer = answer_entry(ENTRY, 3_000, 0.5)
    assert (answer.outcome, answer.age_ms, answer.ttl_ms, answer.cache_ms) == (Outcome.HIT, 2_000, 6_000, 0.5)


def test_an_entry_from_a_host_whose_clock_runs_ahead_is_not_younger_than_new():
    assert answer_entry(ENTRY, 500, 0.0).age_ms == 0


@pytest.mark.parametrize(
    ("wish", "does"),
    [
        (NO_WISH, True),
        (Wish(no_cache=True), False),
        (Wish(min_version=5), True),
        (Wish(min_version=6), False),
        (Wish(max_age_seconds=2), True),
        (Wish(max_age_seconds=1.9), False),
        (Wish(max_age_seconds=0), False),
        (Wish(only_if_cached=True), True),
    ],
)
def test_an_entry_suits_a_reader_if_it_is_new_enough(wish: Wish, does: bool):  # noqa: FBT001 (a parameter)
    assert suits(ENTRY, wish, now_ms=3_000) is does
