"""Races of batches: with readers, with single writes, with each other, and with the end of their process."""

from __future__ import annotations

import asyncio
import random

import pytest

from service.cache.entry import Outcome, Settled
from service.domain.batch import Verb, Write
from service.domain.entity import EntityKey, WriteCondition
from service.errors import BatchRefusedError
from tests.support.replica import KIND
from tests.support.world import WRITE_THROUGH


async def test_r30_a_readers_old_fill_is_refused_for_each_key_of_a_batch(world):
    """
    Reader A:  leases x, y ── loads 1, 1 ───────────────────────────── fills 1, 1: refused
    writer B:                              commits x=2, y=2 ── acked
    """
    a, b = await world.replica(), await world.replica()
    await b.put_all(x=1, y=1)
    a.gates.loaded.hold()
    readers = [a.begin_read("x"), a.begin_read("y")]
    await a.gates.loaded.reached()
    await b.put_all(x=2, y=2)
    a.gates.loaded.release()
    assert await asyncio.gather(*readers) == [1, 1]
    assert [await b.read("x"), await b.read("y")] == [2, 2]


async def test_r30_a_batch_is_not_acknowledged_before_every_key_is_settled(world):
    """
    Writer B:  commits x=2, y=2 ── applies both ........ are heard ── acked
    reader A:                                                           must not hit 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put_all(x=1, y=1)
    assert [await a.read("x"), await a.read("y")] == [1, 1]
    b.gates.applying.hold()
    writer = b.begin_put_all(x=2, y=2)
    await b.gates.applying.reached()
    assert [await a.read("x"), await a.read("y")] == [1, 1]
    assert not writer.done()
    b.gates.applying.release()
    await writer
    assert [await a.read("x"), await a.read("y")] == [2, 2]


async def test_r30_a_batch_written_through_leaves_a_hit_under_each_key(world):
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica(policy=WRITE_THROUGH)
    await a.put_all(x=1, y=1)
    await a.put_all(y=2, x=2, z=2)
    for name in ("x", "y", "z"):
        answer = await b.get(name)
        assert (answer.outcome, answer.body) == (Outcome.HIT, b'{"n": 2}')


async def test_r30_a_late_batch_fills_only_under_the_leases_that_it_took_before_its_commit(world):
    """
    Batch A:   leases x, y ── commits 1, 1 ──────────────────────── fills 1, 1: of x refused
    Redis:                                   evicts the lease of x
    writer B:                                commits x=2 ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica()
    a.gates.committed.hold()
    late = a.begin_put_all(x=1, y=1)
    await a.gates.committed.reached()
    assert (await world.cached("x")).startswith("L1 ")
    assert (await world.cached("y")).startswith("L1 ")
    await world.redis("DEL", f"cache:{KIND}:x")
    await b.put(2)
    a.gates.committed.release()
    await late
    assert [await b.read("x"), await b.read("y")] == [2, 1]


async def test_r30_a_batch_that_did_not_happen_gives_all_its_leases_back(world):
    """Nobody fills under them any more, and nobody has to wait until they expire."""
    a = await world.replica(policy=WRITE_THROUGH)
    never = WriteCondition(if_match=frozenset({1}))
    writes = [
        Write(Verb.PUT, EntityKey(KIND, "x"), '{"n": 1}'),
        Write(Verb.PUT, EntityKey(KIND, "y"), '{"n": 1}', condition=never),
    ]
    with pytest.raises(BatchRefusedError):
        await a.entities.write_batch(writes, wait=True)
    await a.settle_down()
    assert a.store.leases == 2
    assert [await world.cached("x"), await world.cached("y")] == [None, None]
    assert await a.read("x") is None


@pytest.mark.parametrize("there", [True, False], ids=["replacing", "creating"])
async def test_r30_two_batches_that_cross_both_succeed_one_after_the_other(world, there):
    """
    Transaction T:  locks x ──────────────────────────── lets go
    batch A:                  x, y: waits for x ........ commits
    batch B:                  y, x: waits for x as well, and not with y in its hand
    """
    a, b = await world.replica(), await world.replica()
    if there:
        await a.put_all(x=0, y=0)
    t = await world.connect()
    await t.execute("BEGIN")
    await t.execute(
        "SELECT FROM entity WHERE id = 'x' FOR UPDATE"
        if there
        else f"INSERT INTO entity (entity_type, id, body) VALUES ('{KIND}', 'x', '0')"
    )
    crossing = [a.begin_put_all(x=1, y=1), b.begin_put_all(y=2, x=2)]
    await world.until_somebody_waits_for_a_lock(2)
    await t.execute("ROLLBACK")
    first, second = await asyncio.gather(*crossing)
    versions = {name: (first[place].row.version, second[1 - place].row.version) for place, name in enumerate("xy")}
    assert (versions["x"][0] < versions["x"][1]) is (versions["y"][0] < versions["y"][1])
    assert await a.read("x") == await a.read("y") == (2 if versions["x"][0] < versions["x"][1] else 1)


async def test_r30_batches_of_all_verbs_in_any_order_never_deadlock(world):
    """Whatever a write does, and whether its entity is there, its place in the order of locks is the same."""
    replicas, draw = [await world.replica(), await world.replica()], random.Random(30)
    await replicas[0].put_all(d=0, e=0, f=0, g=0)

    def batch(turn: int) -> list[Write]:
        writes = [
            *[Write(Verb.PUT, EntityKey(KIND, name), f'{{"n": {turn}}}') for name in (f"new{turn}", "a", "b")],
            *[Write(Verb.PATCH, EntityKey(KIND, name), f'{{"m": {turn}}}') for name in ("d", "e", "f")],
            Write(Verb.DELETE if turn % 2 else Verb.PUT, EntityKey(KIND, "g"), None if turn % 2 else "1"),
        ]
        return draw.sample(writes, len(writes))

    for turn in range(30):
        crossing = [replica.entities.write_batch(batch(turn), wait=True) for replica in replicas * 4]
        for result in await asyncio.gather(*crossing, return_exceptions=True):
            assert isinstance(result, list | BatchRefusedError), result  # of two deletions one finds nothing


async def test_r30_the_relay_carries_every_key_of_a_batch_whose_writer_crashed_after_its_commit(world):
    """
    Batch B:   commits x=2, y=2 ── crashes
    relay:                                   polls, applies both
    reader A:                                                     must not hit 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put_all(x=1, y=1)
    assert [await a.read("x"), await a.read("y")] == [1, 1]
    b.gates.committed.hold()
    writer = b.begin_put_all(x=2, y=2)
    await b.gates.committed.reached()
    b.crash()
    await asyncio.gather(writer, return_exceptions=True)
    await world.relay.carry()
    assert [await a.read("x"), await a.read("y")] == [2, 2]


async def test_r30_a_batch_that_cannot_be_applied_is_acknowledged_when_no_heartbeat_can_be_alive(quick_world):
    """
    Batch B, link cut:  commits 20 keys ── applies fail ...... waits out the heartbeat ── acked
    reader A:                                                                                    must not hit 1
    """
    world, names = quick_world, [f"n{number}" for number in range(20)]
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url)
    await b.put_all(**dict.fromkeys(names, 1))
    await world.relay.carry()
    assert [await a.read(name) for name in names] == [1] * 20
    link.cut()
    written = await b.put_all(**dict.fromkeys(names, 2))
    assert {each.settled for each in written} == {Settled.DEFERRED}
    assert [await a.read(name) for name in names] == [2] * 20
