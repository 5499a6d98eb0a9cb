"""Races in which Redis is another one than a moment ago: restarted with old data, or failed over."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest_asyncio

from service.cache.entry import Outcome, Settled
from service.cache.grants import Granted
from service.embedded import Valkey
from service.errors import CacheUnavailableError
from tests.support.valkey_commands import command
from tests.support.waiting import eventually
from tests.support.world import World, open_world


@pytest_asyncio.fixture
async def mortal(database_url, valkey_factory):
    """A Valkey of this test's own, and a world with a short bound around it."""
    server = valkey_factory()
    async with open_world(database_url, server.url, bound_seconds=0.5) as world:
        yield world, server


@pytest_asyncio.fixture
async def durable(database_url, valkey_factory):
    """The same with a heartbeat that outlives the test."""
    server = valkey_factory()
    async with open_world(database_url, server.url) as world:
        yield world, server


def snapshot(server: Valkey, folder: Path) -> Path:
    """What Redis holds now, as a file."""
    command(server.url, "SAVE")
    return Path(shutil.copy(server.rdb, folder / "old.rdb"))


def restart_from(server: Valkey, old: Path) -> None:
    server.kill()
    shutil.copy(old, server.rdb)
    server.start()


async def until_granted(world: World) -> None:
    """The relay polls until it may grant."""

    async def granted() -> bool:
        return await world.relay.poll() is Granted.GRANTED

    await eventually(granted, step_seconds=0.02)


async def test_r11_a_heartbeat_that_came_back_with_an_old_snapshot_vouches_for_nothing(durable, tmp_path):
    """
    Redis:     holds 1, heartbeat ── saves ─────────────────────── killed, restarts with 1, and the heartbeat
    writer B:                                 commits 2 ── acked
    reader A:                                                                              must not hit 1
    """
    world, server = durable
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    assert await a.read() == 1
    old = snapshot(server, tmp_path)
    await b.put(2)
    restart_from(server, old)
    assert await world.redis("EXISTS", "aside:hb", "cache:thing:x") == 2
    answer = await a.get()
    assert (answer.outcome, answer.body) == (Outcome.OFF, b'{"n": 2}')


async def test_r11_an_old_snapshot_is_brought_up_from_its_own_watermark(mortal, tmp_path):
    """
    Redis:     holds 1 ── saves ─────────────────────── killed, restarts with 1
    writer B:                      commits 2 ── acked
    relay:                         polls, applies                              waits B, replays from the old watermark
    reader A:                                                                                           must not hit 1
    """
    world, server = mortal
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    await world.relay.carry()
    assert await a.read() == 1
    old = snapshot(server, tmp_path)
    await b.put(2)
    await world.relay.carry()
    restart_from(server, old)
    assert (await world.cached()).startswith("V1 ")
    await until_granted(world)
    assert await a.read() == 2


async def test_r11_a_lease_that_came_back_with_an_old_snapshot_fills_nothing_old(mortal, tmp_path):
    """
    Reader A:  lease ── loads 1 ................................................................ fill 1: below the floor
    Redis:               saves ────────────────────── killed, restarts with the lease, its floor is 0 again
    writer B:                     commits 2 ── acked
    relay:                                                                        replays 2: the floor rises
    """
    world, server = mortal
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    await world.relay.carry()
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    old = snapshot(server, tmp_path)
    await b.put(2)
    await world.relay.carry()
    restart_from(server, old)
    assert (await world.cached()).startswith("L1 ")
    await until_granted(world)
    a.gates.loaded.release()
    assert await reader == 1
    assert await b.read() == 2


async def test_r11_an_instance_that_cannot_say_what_it_has_missed_begins_a_new_generation(mortal, tmp_path):
    """As above, and the changes since the old watermark have been forgotten, or the watermark is lost."""
    world, server = mortal
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    await world.relay.carry()
    assert await a.read() == 1
    old = snapshot(server, tmp_path)
    await b.put(2)
    await world.relay.carry()
    assert await world.relay.session.prune(changes_after_seconds=0, tombstones_after_seconds=3600, at_most=100) > 0
    restart_from(server, old)
    await until_granted(world)
    assert await a.read() == 2


async def test_r11_an_instance_without_a_watermark_begins_a_new_generation(mortal, tmp_path):
    """The old snapshot holds 1, and nothing that says how old it is."""
    world, server = mortal
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    await world.relay.carry()
    assert await a.read() == 1
    await world.redis("DEL", "aside:wm")
    old = snapshot(server, tmp_path)
    await b.put(2)
    await world.relay.carry()
    await world.relay.session.prune(changes_after_seconds=0, tombstones_after_seconds=3600, at_most=100)
    restart_from(server, old)
    await until_granted(world)
    assert await a.read() == 2


@pytest_asyncio.fixture
async def two_primaries(database_url, valkey_factory):
    """A world whose relay goes through a link that a failover moves from the first server to the second."""
    first, second = valkey_factory(), valkey_factory()
    async with open_world(database_url, first.url, bound_seconds=0.5) as world:
        link = await world.proxy()
        await world.lead(redis_url=link.url)
        await world.relay.carry()
        yield world, link, second


async def test_r12_a_write_told_to_a_primary_without_a_heartbeat_does_not_count(two_primaries):
    """
    Replica A, relay:  first primary: a heartbeat, and 1
    replica B:         second primary: commits 2, applies there: no heartbeat names it ── waits ── acked
    reader A:                                                                                        must not hit 1
    """
    world, link, second = two_primaries
    a, b = await world.replica(fails_over=True), await world.replica(redis_url=link.url, fails_over=True)
    await b.put(1)
    await world.relay.carry()
    await a.read()
    link.point_to(second.url)
    assert (await b.put(2)).settled is Settled.DEFERRED
    assert await a.read() == 2


async def test_r12_no_heartbeat_is_granted_on_a_new_primary_while_one_may_live_on_the_old(two_primaries):
    """
    relay:      grants on the first primary ── is moved ── waits B ── grants on the second
    replica B:                                                             commits 2, applies on the second ── acked
    reader A:                                                                     on the first: must not hit 1
    """
    world, link, second = two_primaries
    a, b = await world.replica(fails_over=True), await world.replica(redis_url=link.url, fails_over=True)
    await b.put(1)
    await world.relay.carry()
    await a.read()
    link.point_to(second.url)
    await until_granted(world)
    await b.put(2)
    assert await a.read() == 2


async def test_r12_a_new_leader_waits_for_the_heartbeat_of_the_old_primary_too(two_primaries):
    """As above, and the relay that finds the new primary is another one: the ledger tells it of the old."""
    world, _, second = two_primaries
    a, b = await world.replica(fails_over=True), await world.replica(redis_url=second.url, fails_over=True)
    await a.put(1)
    await world.relay.carry()
    await a.read()
    await world.lead(redis_url=second.url)
    await until_granted(world)
    await b.put(2)
    assert await a.read() == 2


async def test_r13_a_grant_that_straddles_a_restart_is_refused(durable, valkey_factory, tmp_path):
    """
    Redis:   holds 1 ── saves ────────────────────────────────────────── restarts with 1
    writer:                      commits 2 ── acked
    relay:                                    clock, polls: nothing new ..................... grants: refused
    reader:                                                                                      must not hit 1
    """
    world, server = durable
    link = await world.proxy()
    b = await world.replica()
    await b.put(1)
    assert await b.read() == 1
    await world.lead(redis_url=link.url)
    await world.relay.carry()
    restarted = valkey_factory()
    restart_from(restarted, snapshot(server, tmp_path))
    await b.put(2)
    await world.relay.carry()
    world.relay.granting.hold()
    poll = asyncio.create_task(world.relay.poll())
    await world.relay.granting.reached()
    await link.move_to(restarted.url)
    world.relay.granting.release()
    assert await poll is Granted.RESTARTED
    a = await world.replica(redis_url=restarted.url)
    assert await a.read() == 2


async def test_r13_a_leaders_first_poll_that_straddles_a_failover_grants_nothing(durable, valkey_factory):
    """
    relay:      clock of the first primary ── its link is moved ── watermark of the second, grants there: must not
    reader A:   on the first, whose heartbeat lives on: hits 1
    replica B:  on the second: commits 2, must not be told that this is known to all
    """
    world, _ = durable
    second = valkey_factory()
    link = await world.proxy()
    a, b = await world.replica(fails_over=True), await world.replica(redis_url=second.url, fails_over=True)
    await a.put(1)
    await a.read()
    relay = await world.lead(redis_url=link.url)
    relay.watching.hold()
    poll = asyncio.create_task(relay.poll())
    await relay.watching.reached()
    link.point_to(second.url)
    relay.watching.release()
    [granted] = await asyncio.gather(poll, return_exceptions=True)
    written = await b.put(2, wait=False)
    assert written.settled is Settled.DEFERRED or await a.read() == 2
    assert granted is not Granted.GRANTED


async def test_r13_a_grant_whose_connection_breaks_is_not_sent_to_another_server(durable, valkey_factory, tmp_path):
    """
    Redis:   holds 1 ── saves ──────────────────────────────── dies; another one is started with 1
    writer:                      commits 2 ── acked
    relay:                                    polls: nothing new .............................. grants: must not
    reader:                                                                                       must not hit 1
    """
    world, server = durable
    link = await world.proxy()
    b = await world.replica()
    await b.put(1)
    assert await b.read() == 1
    await world.lead(redis_url=link.url)
    await world.relay.carry()
    restarted = valkey_factory()
    restart_from(restarted, snapshot(server, tmp_path))
    await b.put(2)
    await world.relay.carry()
    world.relay.granting.hold()
    poll = asyncio.create_task(world.relay.poll())
    await world.relay.granting.reached()
    link.point_to(restarted.url)
    world.relay.granting.release()
    [granted] = await asyncio.gather(poll, return_exceptions=True)
    assert isinstance(granted, CacheUnavailableError)
    a = await world.replica(redis_url=restarted.url)
    assert await a.read() == 2
