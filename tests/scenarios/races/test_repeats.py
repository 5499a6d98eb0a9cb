"""Races of requests that are sent again: with their own first attempt, with later writes, with what a cache holds."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import Outcome, Settled
from service.domain.repeatable import Repeatable, digest_of
from service.errors import RepeatUnderWayError
from tests.support.waiting import eventually
from tests.support.world import WRITE_THROUGH

SAME = Repeatable("", "same", digest_of(b"the same"))


async def test_r31_a_repeat_tells_the_cache_what_its_first_attempt_could_not(world):
    """
    Writer B:            commits 2 ── crashes
    repeat, replica A:                          finds 2 ── applies 2 ── acked
    reader C:                                                                   must not hit 1
    """
    a, b, c = await world.replica(), await world.replica(), await world.replica()
    await b.put(1)
    assert await c.read() == 1
    b.gates.committed.hold()
    first = b.begin_put(2, repeatable=SAME)
    await b.gates.committed.reached()
    b.crash()
    await asyncio.gather(first, return_exceptions=True)
    assert await c.read() == 1
    again = await a.put(2, repeatable=SAME)
    assert (again.is_repeat, again.settled, again.row.body) == (True, Settled.APPLIED, b'{"n": 2}')
    assert await c.read() == 2


async def test_r31_a_repeat_that_cannot_tell_the_cache_waits_as_its_first_attempt_would_have(world):
    """
    Writer B:                      commits 2 ── crashes
    repeat, replica A, link cut:                          finds 2 ── apply fails ── asks the ledger .......... acked
    relay:                                                                             applies 2, notes it
    reader C:                                                                   may hit 1                    must not
    """
    link = await world.proxy()
    a, b, c = await world.replica(redis_url=link.url), await world.replica(), await world.replica()
    await b.put(1)
    assert await c.read() == 1
    b.gates.committed.hold()
    first = b.begin_put(2, repeatable=SAME)
    await b.gates.committed.reached()
    b.crash()
    await asyncio.gather(first, return_exceptions=True)
    link.cut()
    again = a.begin_put(2, repeatable=SAME)
    await eventually(lambda: a.recorder.count("cache_error", "apply") > 0)
    assert await c.read() == 1
    assert not again.done()
    await world.relay.carry()
    async with asyncio.timeout(10):
        assert (await again).settled is Settled.DEFERRED
    assert await c.read() == 2


async def test_r31_a_repeat_is_not_acknowledged_before_every_key_of_its_batch_is_settled(world):
    """
    Batch B:             commits x=2, y=2 ── crashes
    repeat, replica A:                                 finds both ── applies ........ are heard ── acked
    reader C:                                                                  may hit 1             must not hit 1
    """
    a, b, c = await world.replica(), await world.replica(), await world.replica()
    await b.put_all(x=1, y=1)
    assert [await c.read("x"), await c.read("y")] == [1, 1]
    b.gates.committed.hold()
    first = b.begin_put_all(x=2, y=2, repeatable=SAME)
    await b.gates.committed.reached()
    b.crash()
    await asyncio.gather(first, return_exceptions=True)
    a.gates.applying.hold()
    again = a.begin_put_all(x=2, y=2, repeatable=SAME)
    await a.gates.applying.reached()
    assert [await c.read("x"), await c.read("y")] == [1, 1]
    assert not again.done()
    a.gates.applying.release()
    assert [written.is_repeat for written in await again] == [True, True]
    assert [await c.read("x"), await c.read("y")] == [2, 2]


async def test_r31_a_repeat_takes_nothing_newer_out_of_the_cache(world):
    """
    Writer B:            commits 1 ── acked
    writer C:                                commits 2, written through ── acked
    repeat, replica A:                                                            finds 1 ── applies 1: 2 is kept
    """
    a, b, c = [await world.replica(policy=WRITE_THROUGH) for _ in range(3)]
    await b.put(1, repeatable=SAME)
    await c.put(2)
    again = await a.put(1, repeatable=SAME)
    assert (again.is_repeat, again.row.body) == (True, b'{"n": 1}')
    answer = await c.get()
    assert (answer.outcome, answer.body) == (Outcome.HIT, b'{"n": 2}')


@pytest.mark.parametrize("policy", [None, WRITE_THROUGH], ids=["aside", "through"])
async def test_r31_of_two_attempts_at_once_one_writes_and_the_other_is_told_to_wait(world, policy):
    """
    Attempt 1, replica A:  claims ── waits for the row .................. commits ── acked
    attempt 2, replica B:                                claims: refused                     repeats: the same answer
    """
    a, b = await world.replica(policy=policy), await world.replica(policy=policy)
    await a.put(1)
    t = await world.connect()
    await t.execute("BEGIN")
    await t.execute("SELECT FROM entity WHERE id = 'x' FOR UPDATE")
    first = a.begin_put(2, repeatable=SAME)
    await world.until_somebody_waits_for_a_lock()
    with pytest.raises(RepeatUnderWayError):
        await b.put(2, repeatable=SAME)
    await t.execute("ROLLBACK")
    done = await first
    again = await b.put(2, repeatable=SAME)
    assert (done.is_repeat, again.is_repeat) == (False, True)
    assert (again.row.version, again.row.body) == (done.row.version, done.row.body)
    assert await b.read() == 2


async def test_r31_whoever_looked_for_a_note_before_it_was_there_does_not_write_again(world):
    """
    Attempt 2, replica B:  finds no note ................................. claims: refused
    attempt 1, replica A:                  claims ── commits ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica(policy=WRITE_THROUGH)
    b.gates.leasing.hold()
    second = b.begin_put(2, repeatable=SAME)
    await b.gates.leasing.reached()
    done = await a.put(2, repeatable=SAME)
    b.gates.leasing.release()
    with pytest.raises(RepeatUnderWayError):
        await second
    [record] = await world.sql("SELECT count(*) FROM change")
    assert (done.is_repeat, record["count"]) == (False, 1)
    assert await a.read() == 2
