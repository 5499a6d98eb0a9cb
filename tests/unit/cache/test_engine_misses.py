"""MISS, LOAD, FILL: what happens to a read that the cache cannot answer."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import Detail, Outcome
from service.cache.keys import cache_key
from service.cache.store import Change
from service.errors import DatabaseUnavailableError
from tests.support.glancing import Get, both_ways
from tests.support.memory_engine import GENERATION, World
from tests.support.polling import turns

pytestmark = both_ways

NAME = "country:JP"


async def test_what_is_missing_is_loaded_once_and_stored(get: Get):
    world = World()
    row = world.rows.commit(NAME, b"1")
    replica = world.replica()
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, answer.stored, answer.body) == (Outcome.MISS, True, b"1")
    assert (await get(replica.engine, NAME, world.policy)).outcome is Outcome.HIT
    assert world.rows.loads == 1
    held = world.cached(NAME)
    assert held is not None
    assert (held.version, held.generation) == (row.version, GENERATION)
    assert replica.recording.count("fill", "stored") == 1


async def test_what_never_existed_is_stored_as_absent(get: Get):
    world = World()
    replica = world.replica()
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, answer.version, answer.body) == (Outcome.MISS, 0, None)
    assert (await get(replica.engine, NAME, world.policy)).outcome is Outcome.NEGATIVE_HIT


async def test_a_thousand_readers_of_one_replica_make_one_load(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica(lease_wait_seconds=30.0)
    answers = await asyncio.gather(*[get(replica.engine, NAME, world.policy) for _ in range(1_000)])
    assert {answer.body for answer in answers} == {b"1"}
    assert world.rows.loads == 1


async def test_readers_of_several_replicas_wait_for_the_one_that_loads(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    replicas = [world.replica(lease_wait_seconds=1.0) for _ in range(3)]
    answers = await asyncio.gather(*[get(replica.engine, NAME, world.policy) for replica in replicas])
    assert sorted(answer.outcome for answer in answers) == [Outcome.HIT, Outcome.HIT, Outcome.MISS]
    assert world.rows.loads == 1


async def test_a_reader_does_not_wait_for_ever_for_a_lease_that_nobody_fills(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    world.server.set(cache_key(NAME), b"L1 of-a-dead-process 0\n")
    answer = await get(world.replica().engine, NAME, world.policy)
    assert (answer.outcome, answer.detail, answer.body) == (Outcome.BYPASS, Detail.LEASE_BUSY, b"1")
    assert world.server.get(cache_key(NAME)) == b"L1 of-a-dead-process 1\n"  # it may not fill anything older now


@pytest.mark.parametrize("what", ["a newer version is told", "the lease is evicted", "somebody else leased it"])
async def test_a_fill_is_refused_when_something_happened_and_the_answer_is_what_was_loaded(what: str, get: Get):
    world = World()
    world.rows.commit(NAME, b"1")

    def happens() -> None:
        match what:
            case "a newer version is told":
                world.server.apply(Change(NAME, 2, GENERATION))
            case "the lease is evicted":
                world.server.unlink(cache_key(NAME))
            case _:
                world.server.set(cache_key(NAME), b"L1 theirs 0\n")

    world.rows.during_load = happens
    replica = world.replica()
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, answer.detail, answer.stored, answer.body) == (
        Outcome.MISS, Detail.FILL_REFUSED, False, b"1",
    )  # fmt: skip
    assert replica.recording.count("fill", "refused") == 1
    assert replica.store.calls[-1] == "apply"  # race R8b: repaired before it was answered
    assert world.cached(NAME) is None


async def test_a_fill_that_is_lost_is_made_safe_before_the_answer(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica()
    replica.store.lost = {"fill", "apply"}
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.detail, answer.stored, answer.body) == (Detail.FILL_REFUSED, False, b"1")
    assert replica.recording.count("fill", "failed") == 1
    assert world.rows.coverages >= 1


async def test_a_cancelled_leader_still_fills_and_the_next_one_may_lead(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    world.rows.hold = asyncio.Event()
    replica = world.replica(lease_wait_seconds=1.0)
    leader = asyncio.create_task(get(replica.engine, NAME, world.policy))
    await turns()
    follower = asyncio.create_task(get(replica.engine, NAME, world.policy))
    await turns()
    leader.cancel()
    await turns()
    world.rows.hold.set()
    assert (await follower).outcome is Outcome.HIT
    assert world.rows.loads == 1


async def test_a_cancelled_follower_harms_nobody(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    world.rows.hold = asyncio.Event()
    replica = world.replica(lease_wait_seconds=1.0)
    reads = [asyncio.create_task(get(replica.engine, NAME, world.policy)) for _ in range(3)]
    await turns()
    reads[1].cancel()
    await turns()
    world.rows.hold.set()
    assert {(await reads[0]).body, (await reads[2]).body} == {b"1"}


async def test_a_load_that_fails_gives_its_lease_back_and_the_next_reader_succeeds(get: Get):
    world = World()
    row = world.rows.commit(NAME, b"1")
    replica = world.replica()
    world.rows.reachable = False
    with pytest.raises(DatabaseUnavailableError):
        await get(replica.engine, NAME, world.policy)
    await turns()
    assert world.server.get(cache_key(NAME)) is None
    world.rows.reachable = True
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, answer.version) == (Outcome.MISS, row.version)


async def test_a_slow_redis_costs_a_read_no_more_than_its_budget(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    world.rows.covered = True
    replica = world.replica(budget_seconds=0.01, bound_seconds=60)

    def slow_from_now_on(call: str) -> None:
        if call == "read":
            replica.store.hold = asyncio.Event()

    replica.store.before = slow_from_now_on
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, answer.detail) == (Outcome.OFF, Detail.CACHE_UNREACHABLE)
    assert answer.cache_ms < 50


# -- past its freshness ----------------------------------------------------------------------------------------------


async def test_an_expired_entry_is_renewed_in_place(get: Get):
    world = World()
    world.cache(NAME, 1, b"1", fresh_ms=1_000)
    world.rows.commit(NAME, b"1")
    world.clock.now_ms += 2_000
    replica = world.replica()
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, answer.detail, answer.stored) == (Outcome.MISS, Detail.EXPIRED, True)
    held = world.cached(NAME)
    assert held is not None
    assert held.written_at_ms == world.clock()
    assert "lease" not in replica.store.calls


async def test_an_expired_entry_is_renewed_by_one_reader_of_all_replicas(get: Get):
    world = World()
    world.cache(NAME, 1, b"1", fresh_ms=1_000)
    world.rows.commit(NAME, b"1")
    world.clock.now_ms += 2_000
    replicas = [world.replica(lease_wait_seconds=1.0) for _ in range(3)]
    answers = await asyncio.gather(
        *[get(replica.engine, NAME, world.policy) for replica in replicas for _ in range(10)]
    )
    assert {answer.body for answer in answers} == {b"1"}
    assert world.rows.loads == 1


async def test_a_renewal_that_the_cache_did_not_hear_of_is_made_safe_before_the_answer(get: Get):
    world = World()
    world.cache(NAME, 1, b"1", fresh_ms=1_000)
    row = [world.rows.commit(NAME, body) for body in (b"1", b"2")][-1]
    world.clock.now_ms += 2_000
    replica = world.replica()
    replica.store.lost = {"apply"}
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.version, answer.stored) == (row.version, False)
    assert world.rows.coverages >= 1


async def test_the_value_that_came_while_a_reader_waited_answers_it(get: Get):
    world = World()
    world.rows.commit(NAME, b"1")
    world.server.set(cache_key(NAME), b"L1 theirs 0\n")
    replica = world.replica(lease_wait_seconds=1.0)

    def filled_meanwhile(call: str) -> None:
        if replica.store.calls.count("read") == 2:
            world.cache(NAME, 1, b"1")

    replica.store.before = filled_meanwhile
    answer = await get(replica.engine, NAME, world.policy)
    assert (answer.outcome, world.rows.loads) == (Outcome.HIT, 0)
    assert replica.recording.count("lease_wait") == 1
