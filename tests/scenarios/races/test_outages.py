"""Races in which the cache does not hear of a committed write: crashed writers, lost messages, cut links."""

from __future__ import annotations

import asyncio

from service.cache.entry import Settled
from service.cache.grants import Granted
from tests.support.glancing import reads_both_ways
from tests.support.waiting import eventually
from tests.support.world import WRITE_THROUGH

pytestmark = reads_both_ways


async def test_r5_the_relay_carries_what_a_writer_that_crashed_after_its_commit_did_not(world):
    """
    Writer B:  commits 2 ── crashes
    relay:                            polls, applies 2
    reader A:                                            must not hit 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    assert await a.read() == 1
    b.gates.committed.hold()
    writer = b.begin_put(2)
    await b.gates.committed.reached()
    b.crash()
    await asyncio.gather(writer, return_exceptions=True)
    await world.relay.carry()
    assert await a.read() == 2


async def test_r5_the_relay_carries_what_a_crashed_write_through_left_behind_its_lease(world):
    """As above; the crashed writer's lease stands in the way of nobody who reads."""
    a, b = await world.replica(), await world.replica(policy=WRITE_THROUGH)
    b.gates.committed.hold()
    writer = b.begin_put(1)
    await b.gates.committed.reached()
    b.crash()
    await asyncio.gather(writer, return_exceptions=True)
    assert (await world.cached()).startswith("L1 ")
    assert await a.read() == 1
    await world.relay.carry()
    assert await a.read() == 1


async def test_r5_no_change_is_forgotten_before_it_was_carried(world):
    """
    SQL:       commits 2
    pruning:              forgets what is old
    relay:                                     polls, applies 2
    """
    a = await world.replica()
    await a.put(1)
    assert await a.read() == 1
    await world.relay.carry()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    await world.relay.session.prune(changes_after_seconds=0, tombstones_after_seconds=3600, at_most=100)
    await world.relay.carry()
    assert await a.read() == 2


async def test_r6_a_write_that_cannot_be_applied_is_acknowledged_when_no_heartbeat_can_be_alive(quick_world):
    """
    Writer B, link cut:  commits 2 ── apply fails ...... waits out the heartbeat ── acked
    reader A:                                                                              must not hit 1
    """
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url)
    await b.put(1)
    await world.relay.carry()
    await a.read()
    link.cut()
    written = await b.put(2)
    assert written.settled is Settled.DEFERRED
    assert await a.read() == 2


async def test_r6_a_write_is_acknowledged_as_soon_as_the_relay_has_carried_it(world):
    """
    Writer B, link cut:  commits 2 ── apply fails ── asks the ledger .................. acked
    relay:                                                               applies 2, notes it
    """
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url)
    await b.put(1)
    assert await a.read() == 1
    link.cut()
    b.gates.committed.hold()
    writer = b.begin_put(2)
    await b.gates.committed.reached()
    assert await a.read() == 1
    b.gates.committed.release()
    await world.relay.carry()
    async with asyncio.timeout(10):
        assert (await writer).settled is Settled.DEFERRED
    assert await a.read() == 2


async def test_r6_a_write_whose_apply_is_not_answered_counts_as_not_applied(quick_world):
    """The request may have arrived or not: replies are lost."""
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url, operation_timeout_seconds=0.05)
    await b.put(1)
    await world.relay.carry()
    await a.read()
    link.blackhole()
    written = await b.put(2)
    assert written.settled is Settled.DEFERRED
    assert await a.read() == 2


async def test_r6_a_write_is_told_to_redis_again_as_soon_as_that_is_back(world):
    """
    Writer B:  commits 2 ── apply fails ......... applies ── acked
    link:      cut                       mended
    """
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url)
    await b.put(1)
    assert await a.read() == 1
    link.cut()
    writer = b.begin_put(2)
    await eventually(lambda: b.recorder.count("cache_error", "apply") > 0)
    link.restore()
    async with asyncio.timeout(10):
        assert (await writer).settled is Settled.APPLIED
    assert await a.read() == 2


async def test_r6_a_grant_is_noted_before_the_poll_that_it_vouches_for(quick_world):
    """
    ledger:              says that no heartbeat can be alive
    relay:               looks at the clock, notes, polls ........................................... grants: too late
    writer B, link cut:                                     commits 2 ── asks the ledger, waits ── acked
    reader A:                                                                                           must not hit 1
    """
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url)
    await b.put(1)
    await world.relay.carry()
    await a.read()
    await world.until_no_heartbeat_is_noted()
    world.relay.polled.hold()
    poll = asyncio.create_task(world.relay.poll())
    await world.relay.polled.reached()
    link.cut()
    await b.put(2)
    world.relay.polled.release()
    granted = await poll
    assert await a.read() == 2
    assert granted is Granted.LATE


async def test_r6_a_long_outage_delays_no_write(world):
    """The ledger says that no heartbeat can be alive: nobody waits, whatever the bound."""
    link = await world.proxy()
    b = await world.replica(redis_url=link.url)
    await world.sql("UPDATE ledger SET granted_until = clock_timestamp() - interval '1 s'")
    link.cut()
    async with asyncio.timeout(10):
        assert (await b.put(1)).settled is Settled.DEFERRED
        assert await b.read() == 1
