"""Races of a warming around its leases: whose they are, on which connection, in whose cache, and how they end."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import Outcome
from service.cache.recorder import NullRecorder
from service.cache.warming import PageLane
from service.errors import CacheUnavailableError
from service.parts import open_warming
from service.services.warming import Tally, Wanted
from tests.support.databases import execute_sql
from tests.support.polling import turns
from tests.support.replica import KIND, replica_settings
from tests.support.warmings import INSERT, INSTALLED, REFUSED, UPDATE, begin_warming


async def test_w6_a_warming_that_slept_past_its_lease_fills_nothing_under_the_next_ones(world, warmer):
    """
    Warming 1:  leases ── reads 1 ── sleeps ................................................ fill 1: refused
    Redis:                            the lease expires
    writer B:                                            commits 2 ── acked
    warming 2:                                                               leases ──────────────── reads 2 ── fills 2
    """
    b, other = await world.replica(), await world.replica()
    warmer.gates.loaded.hold()
    sleeper = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.redis("PEXPIREAT", "cache:thing:x", 1)
    await b.put(2)
    other.gates.loading.hold()
    second = begin_warming(other)
    await other.gates.loading.reached()
    warmer.gates.loaded.release()
    assert await sleeper == REFUSED
    assert (await world.cached()).startswith("L1 ")
    other.gates.loading.release()
    assert await second == INSTALLED
    assert await b.read() == 2


async def test_w6_a_warming_that_slept_past_its_lease_fills_nothing_over_what_came_later(world, warmer):
    """As above, and a reader has filled 2 before it wakes up."""
    b = await world.replica()
    warmer.gates.loaded.hold()
    sleeper = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.redis("PEXPIREAT", "cache:thing:x", 1)
    await b.put(2)
    assert await b.read() == 2
    warmer.gates.loaded.release()
    assert await sleeper == REFUSED
    answer = await b.get()
    assert (answer.outcome, answer.body) == (Outcome.HIT, b'{"n": 2}')


async def test_w7_what_is_filled_while_nobody_vouches_is_mended_before_anybody_does(world, warmer):
    """
    Warming:    leases ── reads 1 ───────────────────────── fills 1
    heartbeat:                      dies
    SQL:                                  commits 2
    relay:                                                            applies: 1 goes ── grants
    """
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.redis("DEL", "aside:hb")
    await world.sql(UPDATE, "x")
    warmer.gates.loaded.release()
    assert await warming == INSTALLED
    assert (await warmer.get()).outcome is Outcome.OFF
    await world.relay.carry()
    assert await warmer.read() == 2


async def test_w8_a_fill_goes_out_on_no_other_connection_than_its_lease_came_on(world, warmer):
    """
    Warming:  leases on connection 1 ── reads ──────────────────── fills nothing: a late copy on 1 may still arrive
    network:                                    breaks connection 1
    """
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    warmer.gates.loaded.release()
    with pytest.raises(CacheUnavailableError):
        await warming
    assert await world.cached() is None
    assert await warmer.read() == 1


async def test_w9_what_a_reader_is_loading_is_left_to_it(world, warmer):
    """
    Reader B:  lease ── loads 1 ─────────────────── fills 1
    warming:                       lease busy: skips
    """
    b = await world.replica()
    b.gates.loaded.hold()
    reader = b.begin_read()
    await b.gates.loaded.reached()
    assert await begin_warming(warmer) == Tally(rows=1, busy=1)
    b.gates.loaded.release()
    assert await reader == 1
    assert b.recorder.count("fill", "stored") == 1


async def test_w10_nothing_goes_into_the_cache_of_another_database(world, database_mint):
    """
    Redis:     serves database 1: its heartbeat names the history of that one
    warming:   reads database 2, where the same key is another row: refuses, and leaves no lease in 1's way
    """
    with database_mint.database() as other_url:
        await world.sql(INSERT, "x")
        execute_sql(other_url, INSERT.replace("$1", "'x'"))
        settings = replica_settings(other_url, world.redis_url, bound_seconds=world.bound_seconds)
        async with open_warming(settings, NullRecorder()) as (warming, _):
            with pytest.raises(CacheUnavailableError, match="another database"):
                await warming.run(Wanted())
    stranger = (await world.replica()).redis
    stranger.expect_history("another")
    with pytest.raises(CacheUnavailableError, match="another database"):
        await PageLane(stranger, NullRecorder(), lease_ms=10_000).lease([f"{KIND}:x"])
    assert await world.cached() is None


async def test_w11_a_cancelled_warming_ends_its_pages_first(world, warmer):
    """Warming:  leases ── reads 1 ── is cancelled ── fills 1 ── ends"""
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer, "x", "y")
    await warmer.gates.loaded.reached()
    warming.cancel()
    await turns()
    assert not warming.done()
    warmer.gates.loaded.release()
    with pytest.raises(asyncio.CancelledError):
        await warming
    assert (await world.cached()).startswith("V1 ")
    assert (await world.cached("y")).startswith("N1 ")
