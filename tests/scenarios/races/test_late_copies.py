"""Races with a message that was sent again because its connection broke, and whose first copy arrives all the same."""

from __future__ import annotations

import pytest

from service.cache.entry import Detail, Outcome
from service.cache.lane import _SHA
from tests.support.replica import Replica
from tests.support.warmings import REFUSED, begin_warming
from tests.support.world import WRITE_THROUGH

LEASE, FILL = _SHA["lease"], _SHA["fill"]


async def behind(world, link, **policy) -> Replica:
    """A replica whose connections are open: what breaks on one of them is sent again on another."""
    replica = await world.replica(redis_url=link.url, lanes=1, **policy)
    await replica.read("another")
    return replica


async def test_r29_a_fill_that_was_sent_twice_finds_no_lease_that_was_asked_for_twice(world):
    """
    Reader A:  lease, again ── loads 1 ── fill 1, again: stored
    writer B:                                                   commits 2 ── applies: 1 goes ── acked
    network:                                                                                     lease and fill 1, late
    reader C:  begins now, and must see 2
    """
    link = await world.proxy()
    a, b = await behind(world, link), await world.replica()
    await b.put(1)
    link.strand(LEASE)
    link.strand(FILL)
    assert (await a.get()).stored
    await b.put(2)
    assert await world.cached() is None
    await link.deliver()
    await link.deliver()
    assert await b.read() == 2
    assert await a.read() == 2


async def test_r29_a_write_through_that_was_sent_twice_finds_no_lease_that_was_asked_for_twice(world):
    """As above, and what comes late is of a writer: lease, commit of 1, fill."""
    link = await world.proxy()
    a, b = await behind(world, link, policy=WRITE_THROUGH), await world.replica()
    link.strand(LEASE)
    link.strand(FILL)
    await a.put(1)
    assert (await world.cached()).startswith("V1 ")
    await b.put(2)
    await link.deliver()
    await link.deliver()
    assert await b.read() == 2
    assert await a.read() == 2


async def test_r29_a_lease_that_expired_does_not_come_back(world):
    """
    Reader A:  lease, again ── loads 1 ────────────────────────────────────────────── fill 1: refused
    Redis:                              the lease expires
    writer B:                                              commits 2 ── applies to nothing ── acked
    network:                                                                                   first lease
    reader C:                                                                                               must see 2
    """
    link = await world.proxy()
    a, b = await behind(world, link), await world.replica()
    await b.put(1)
    link.strand(LEASE)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await world.redis("PEXPIREAT", "cache:thing:x", 1)
    await b.put(2)
    await link.deliver()
    assert (await world.cached()).startswith("L1 ")
    a.gates.loaded.release()
    assert await reader == 1
    assert a.recorder.count("fill", "refused") == 1
    assert await b.read() == 2


@pytest.mark.parametrize("first_copy", ["is carried out, its reply is lost", "arrives under the second's lease"])
async def test_r29_a_lease_that_is_asked_for_twice_is_held_once(world, first_copy: str):
    """Reader A:  lease 1 ── its connection breaks ── lease 2: in the place of lease 1 ── loads 1 ── fills 1"""
    link = await world.proxy()
    a, b = await behind(world, link), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    if first_copy.startswith("arrives"):
        link.strand(LEASE)
    else:
        link.lose_reply(LEASE)
    reader = a.begin_read()
    await a.gates.loaded.reached()
    if first_copy.startswith("arrives"):
        await link.deliver()
    a.gates.loaded.release()
    assert await reader == 1
    answer = await b.get()
    assert (answer.outcome, answer.detail) == (Outcome.HIT, Detail.NONE)
    assert a.source.queries == 2  # the other key, and this one


async def test_w12_the_leases_of_a_page_that_expired_do_not_come_back(world, warmer):
    """
    Warming:   leases, again ── reads 1 ────────────────────────────────────────────── fill 1: refused
    Redis:                               the lease expires
    writer B:                                               commits 2 ── applies to nothing ── acked
    network:                                                                                    first leases
    """
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    link.strand(LEASE)
    a.gates.loaded.hold()
    warming = begin_warming(a)
    await a.gates.loaded.reached()
    await world.redis("PEXPIREAT", "cache:thing:x", 1)
    await b.put(2)
    await link.deliver()
    a.gates.loaded.release()
    assert await warming == REFUSED
    assert await b.read() == 2
