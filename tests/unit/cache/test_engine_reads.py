"""READ: what a cache that is vouched for answers by itself, and when it is gone around."""

from __future__ import annotations

import math

import pytest

from service.cache.entry import Detail, Outcome, Wish
from service.cache.keys import cache_key
from service.cache.policy import Policy
from service.errors import CacheUnavailableError, DatabaseUnavailableError, NotCachedError
from tests.support.memory_engine import World
from tests.support.polling import turns

NAME = "country:JP"
OTHER_GENERATION = b"g.0"


async def test_a_fresh_entry_answers_with_one_call_and_no_load():
    world = World()
    replica = world.replica()
    world.cache(NAME, 3, b'{"a":1}')
    answer = await replica.engine.get(NAME, world.policy)
    assert (answer.outcome, answer.version, answer.body) == (Outcome.HIT, 3, b'{"a":1}')
    assert replica.store.calls == ["read"]
    assert world.rows.loads == 0
    assert replica.recording.events == [("read", "country", "hit")]


async def test_the_knowledge_that_there_is_none_is_a_hit_too():
    world = World()
    world.cache(NAME, 3, None)
    answer = await world.replica().engine.get(NAME, world.policy)
    assert (answer.outcome, answer.body) == (Outcome.NEGATIVE_HIT, None)


@pytest.mark.parametrize("what", ["another generation", "another key", "another format", "a lease"])
async def test_what_is_no_entry_of_this_key_and_generation_is_never_answered(what: str):
    world = World()
    row = world.rows.commit(NAME, b"2")
    match what:
        case "another generation":
            world.cache(NAME, 99, b"old", generation=OTHER_GENERATION)
        case "another key":
            world.cache("country:FR", 99, b"theirs")
            world.server.set(cache_key(NAME), world.server.get(cache_key("country:FR")) or b"")
        case "another format":
            world.server.set(cache_key(NAME), b"V7 ...\n1")
        case _:
            world.server.set(cache_key(NAME), b"L1 theirs 0\n")
    answer = await world.replica().engine.get(NAME, world.policy)
    assert (answer.version, answer.body) == (row.version, b"2")


# -- wishes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "detail"),
    [
        (Wish(no_cache=True), Detail.REQUESTED),
        (Wish(max_age_seconds=1), Detail.REQUESTED),
        (Wish(min_version=2), Detail.MIN_VERSION),
    ],
)
async def test_a_reader_who_wants_something_newer_goes_around_the_cache_and_repairs_it(wish: Wish, detail: Detail):
    world = World()
    world.rows.commit(NAME, b"1")
    world.cache(NAME, 1, b"1")
    world.clock.now_ms += 1_500
    world.rows.commit(NAME, b"2")
    answer = await world.replica().engine.get(NAME, world.policy, wish)
    assert (answer.outcome, answer.detail, answer.body) == (Outcome.BYPASS, detail, b"2")
    held = world.cached(NAME)
    assert held is None or held.version == 2


@pytest.mark.parametrize("wish", [Wish(min_version=1), Wish(max_age_seconds=10), Wish(only_if_cached=True)])
async def test_a_reader_whom_the_entry_suits_gets_it(wish: Wish):
    world = World()
    world.cache(NAME, 1, b"1")
    answer = await world.replica().engine.get(NAME, world.policy, wish)
    assert answer.outcome is Outcome.HIT
    assert world.rows.loads == 0


@pytest.mark.parametrize("state", ["absent", "expired", "too old", "below the minimum", "off", "unreachable"])
async def test_a_reader_who_wants_the_cache_only_is_refused_and_nothing_is_loaded(state: str):
    world = World()
    replica = world.replica()
    wish = Wish(only_if_cached=True)
    if state != "absent":
        world.cache(NAME, 1, b"1", fresh_ms=1 if state == "expired" else 60_000)
    match state:
        case "expired":
            world.clock.now_ms += 10
        case "too old":
            wish = Wish(only_if_cached=True, max_age_seconds=0)
            world.clock.now_ms += 10
        case "below the minimum":
            wish = Wish(only_if_cached=True, min_version=2)
        case "off":
            world.server.beat(b"g.1", run_id=b"f" * 40)
        case "unreachable":
            replica.store.reachable = False
    with pytest.raises(NotCachedError):
        await replica.engine.get(NAME, world.policy, wish)
    assert world.rows.loads + world.rows.coverage_loads == 0


# -- off -------------------------------------------------------------------------------------------------------------


async def test_without_a_heartbeat_the_database_answers_and_the_cache_is_repaired():
    world = World()
    world.rows.commit(NAME, b"1")
    world.cache(NAME, 1, b"1")
    world.rows.commit(NAME, b"2")
    replica = world.replica()
    await replica.engine.get("country:FR", world.policy)  # learns the generation
    world.server.unlink("aside:hb")
    answer = await replica.engine.get(NAME, world.policy)
    assert (answer.outcome, answer.detail, answer.body) == (Outcome.OFF, Detail.CACHE_OFF, b"2")
    held = world.cached(NAME)
    assert held is None or held.version == 2


async def test_with_redis_out_of_reach_the_database_answers_once_that_is_safe():
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica()
    replica.store.reachable = False
    answer = await replica.engine.get(NAME, world.policy)
    assert (answer.outcome, answer.detail, answer.body) == (Outcome.OFF, Detail.CACHE_UNREACHABLE, b"1")
    assert world.rows.coverages >= 1  # the repair was lost: the ledger was asked, or B waited out


async def test_with_the_breaker_open_the_row_and_its_coverage_come_in_one_load():
    world = World()
    world.rows.commit(NAME, b"1")
    world.rows.covered = True
    replica = world.replica(bound_seconds=60)
    replica.store.available = False
    assert (await replica.engine.get(NAME, world.policy)).body == b"1"
    assert (world.rows.loads, world.rows.coverage_loads, world.rows.coverages) == (0, 1, 0)


async def test_an_outage_of_both_is_the_databases_error():
    world = World()
    replica = world.replica()
    replica.store.reachable = world.rows.reachable = False
    with pytest.raises(DatabaseUnavailableError) as failure:
        await replica.engine.get(NAME, world.policy)
    assert not isinstance(failure.value, CacheUnavailableError)


# -- stale-if-error --------------------------------------------------------------------------------------------------

TOLERANT = Policy(jitter=0.0, stale_if_error_seconds=60)


@pytest.mark.parametrize("state", ["expired", "off"])
async def test_with_the_database_gone_the_old_value_answers_where_the_policy_allows(state: str):
    world = World()
    world.cache(NAME, 1, b"1", fresh_ms=1_000)
    world.clock.now_ms += 2_000
    if state == "off":
        world.server.unlink("aside:hb")
    world.rows.reachable = False
    replica = world.replica()
    answer = await replica.engine.get(NAME, TOLERANT)
    assert (answer.outcome, answer.detail, answer.body) == (Outcome.STALE, Detail.STALE_IF_ERROR, b"1")
    assert (answer.age_ms, answer.ttl_ms) == (2_000, -1_000)
    assert ("read", "country", "stale") in replica.recording.events


async def test_the_reader_may_allow_it_where_the_policy_does_not():
    world = World()
    world.cache(NAME, 1, b"1", fresh_ms=1_000)
    world.clock.now_ms += 2_000
    world.rows.reachable = False
    answer = await world.replica().engine.get(NAME, world.policy, Wish(stale_if_error_seconds=30))
    assert answer.outcome is Outcome.STALE


@pytest.mark.parametrize("state", ["forbidden", "too old", "nothing", "another generation"])
async def test_otherwise_the_error_is_passed_on(state: str):
    world = World()
    replica = world.replica()
    await replica.engine.get("country:FR", world.policy)
    if state != "nothing":
        world.cache(
            NAME, 1, b"1", fresh_ms=1_000, stale_ms=10**9,
            generation=OTHER_GENERATION if state == "another generation" else b"g.1",
        )  # fmt: skip
    world.clock.now_ms += 100_000 if state == "too old" else 2_000
    world.server.unlink("aside:hb")
    world.rows.reachable = False
    with pytest.raises(DatabaseUnavailableError):
        await replica.engine.get(NAME, world.policy if state == "forbidden" else TOLERANT)


@pytest.mark.parametrize("state", ["vouched for", "off"])
async def test_a_stale_value_below_the_readers_minimum_is_never_an_answer(state: str):
    world = World()
    world.cache(NAME, 1, b"1")
    if state == "off":
        world.server.unlink("aside:hb")
    world.rows.reachable = False
    with pytest.raises(DatabaseUnavailableError):
        await world.replica().engine.get(NAME, TOLERANT, Wish(min_version=2))


# -- early refresh ---------------------------------------------------------------------------------------------------


def drawn(world: World, lead_ms: float) -> float:
    """The draw with which XFetch refreshes an entry of 1 s cost up to this long before it goes stale."""
    return 1.0 - math.exp(-lead_ms / 1_000)


async def test_a_reader_who_is_drawn_gets_the_old_value_and_the_entry_is_renewed_behind_it():
    world = World()
    world.rows.commit(NAME, b"1")
    world.cache(NAME, 1, b"1", fresh_ms=900, cost_ms=1_000)
    row = world.rows.commit(NAME, b"2")
    replica = world.replica(draw=lambda: drawn(world, 1_000))
    assert (await replica.engine.get(NAME, world.policy)).version == 1
    await replica.tasks.close(grace_seconds=1)
    held = world.cached(NAME)
    assert held is not None
    assert held.version == row.version
    assert replica.recording.count("early_refresh", "country") == 1


async def test_only_one_reader_of_all_replicas_refreshes():
    world = World()
    world.rows.commit(NAME, b"1")
    world.cache(NAME, 1, b"1", fresh_ms=900, cost_ms=1_000)
    replicas = [world.replica(draw=lambda: drawn(world, 1_000)) for _ in range(3)]
    for replica in replicas:
        for _ in range(5):
            await replica.engine.get(NAME, world.policy)
    for replica in replicas:
        await replica.tasks.close(grace_seconds=1)
    assert world.rows.loads == 1


async def test_a_refresh_never_brings_back_what_was_removed_meanwhile():
    """Race R27."""
    world = World()
    world.rows.commit(NAME, b"1")
    world.cache(NAME, 1, b"1", fresh_ms=900, cost_ms=1_000)
    world.rows.during_load = lambda: world.server.unlink(cache_key(NAME)) and None
    replica = world.replica(draw=lambda: drawn(world, 1_000))
    await replica.engine.get(NAME, world.policy)
    await replica.tasks.close(grace_seconds=1)
    assert world.server.get(cache_key(NAME)) is None


async def test_a_refresh_that_fails_harms_nobody_and_lets_the_next_one_try():
    world = World()
    world.cache(NAME, 1, b"1", fresh_ms=900, cost_ms=1_000)
    world.rows.reachable = False
    replica = world.replica(draw=lambda: drawn(world, 1_000))
    for attempt in (1, 2):
        assert (await replica.engine.get(NAME, world.policy)).outcome is Outcome.HIT
        await turns(20)
        assert world.rows.loads == attempt
