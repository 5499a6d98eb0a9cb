"""Races in which a reader knows more than the cache, and must tell it before it answers."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import Detail, Wish
from tests.support.glancing import reads_both_ways

pytestmark = reads_both_ways


async def test_r8_a_reader_that_bypassed_leaves_no_room_for_an_old_fill(world):
    """
    Reader A:  lease ── loads 1 ─────────────────────────────────────────────────── fill 1: refused
    SQL:                          commits 2
    reader B:                                  lease busy ── loads 2 ── repairs ── answers 2
    reader C:                                                                                          must not see 1
    """
    a, b, c = await world.replica(), await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    answer = await b.get()
    assert (answer.body, answer.detail) == (b'{"n": 2}', Detail.LEASE_BUSY)
    a.gates.loaded.release()
    assert await reader == 1
    assert await c.read() == 2


async def test_r8_a_reader_that_bypassed_a_cached_value_replaces_it(world):
    """
    cache:     holds 1
    SQL:                  commits 2
    reader B:                         asks for no-cache ── loads 2 ── repairs ── answers 2
    reader C:                                                                               must not hit 1
    """
    b, c = await world.replica(), await world.replica()
    await b.put(1)
    assert await c.read() == 1
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    assert await c.read() == 1
    assert (await b.get(wish=Wish(no_cache=True))).body == b'{"n": 2}'
    assert await c.read() == 2


async def test_r8_a_reader_that_bypassed_and_found_a_tombstone_says_so(world):
    """As above, and what was cached has been deleted."""
    b, c = await world.replica(), await world.replica()
    await b.put(1)
    assert await c.read() == 1
    await world.sql("DELETE FROM entity WHERE id = 'x'")
    assert (await b.get(wish=Wish(no_cache=True))).body is None
    assert await c.read() is None


async def test_r8b_a_refused_fill_leaves_no_room_for_an_older_one(world):
    """
    Reader B:  lease b ............................................ loads 2 ── fill 2: refused ── repairs, answers
    Redis:               evicts b
    reader A:                      lease a ── loads 1 ──────────────────────────────────── fill 1: refused
    SQL:                                                commits 2
    reader C:                                                                                       must not see 1
    """
    a, b, c = await world.replica(), await world.replica(), await world.replica()
    await b.put(1)
    b.gates.loading.hold()
    ahead = b.begin_read()
    await b.gates.loading.reached()
    await world.redis("DEL", "cache:thing:x")
    a.gates.loaded.hold()
    behind = a.begin_read()
    await a.gates.loaded.reached()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    b.gates.loading.release()
    assert await ahead == 2
    a.gates.loaded.release()
    assert await behind == 1
    assert await c.read() == 2


async def test_r8c_a_reader_that_cannot_reach_redis_answers_once_the_relay_has_told_all_others(world):
    """
    cache:       holds 1
    SQL:                    commits 2
    reader A, link cut:                 loads 2 ── cannot repair ── asks the ledger ......................... answers 2
    relay:                                                                             applies 2, notes it
    reader B:                                                                                                 not 1
    """
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    await b.put(1)
    assert await b.read() == 1
    await world.relay.carry()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    link.cut()
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    assert await b.read() == 1
    a.gates.loaded.release()
    await world.relay.carry()
    async with asyncio.timeout(10):
        assert await reader == 2
    assert await b.read() == 2


async def test_r8c_a_reader_whose_repair_fails_waits_until_no_heartbeat_can_be_alive(quick_world):
    """As above, and no relay comes: the ledger's time runs out, or B has passed since the load."""
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    await b.put(1)
    await world.relay.carry()
    await b.read()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    link.cut()
    assert await a.read() == 2
    assert await b.read() == 2


async def test_r8c_a_reader_in_a_long_outage_asks_the_ledger_with_its_load(quick_world):
    """As above, and the breaker was open before the read began: row and coverage come in one snapshot."""
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    await b.put(1)
    link.cut()
    for _ in range(2):
        await a.beat()
    assert not a.store.available
    await world.relay.carry()
    await b.read()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    assert await a.read() == 2
    assert await b.read() == 2


async def test_r8c_a_reader_in_a_long_outage_does_not_wait_for_what_everybody_knows(world):
    """The relay has applied what A loads: nothing older can be answered by anyone, and A need not wait 60 s."""
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    await b.put(1)
    await world.relay.carry()
    link.cut()
    for _ in range(2):
        await a.beat()
    async with asyncio.timeout(10):
        assert await a.read() == 1


@pytest.mark.parametrize("outage", ["short", "long"])
async def test_r8c_a_reader_that_cannot_tell_of_a_truncate_waits_too(quick_world, outage):
    """
    cache:               holds 1
    SQL:                            TRUNCATE
    reader A, link cut:                         loads "nothing" ── cannot repair ── waits ── answers
    reader B:                                                                                         must not hit 1
    """
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    await b.put(1)
    link.cut()
    for _ in range({"short": 0, "long": 2}[outage]):
        await a.beat()
    await world.relay.carry()
    await b.read()
    await world.sql("TRUNCATE entity")
    assert await a.read() is None
    assert await b.read() is None
