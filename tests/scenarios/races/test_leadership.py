"""Races in which a host dies, or an address moves, half-way: nobody may be kept from the cache for long."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from service.cache.entry import Outcome
from service.cache.grants import Granter
from service.cache.lane import connector
from service.cache.recorder import NullRecorder
from service.db.changes import RelaySession
from tests.support.proxy import Proxy
from tests.support.reigns import database_of
from tests.support.replica import KIND
from tests.support.valkey_commands import command
from tests.support.waiting import eventually
from tests.support.world import open_world

_LOCK = 0x41736965


async def test_r28_a_host_that_dies_as_it_takes_the_lead_does_not_hold_it(database_url, monkeypatch):
    """
    Relay A:     takes the lock ── its host is gone: no goodbye, nothing more is sent
    PostgreSQL:                                                    ── ends the session that is idle
    relay B:                                                                              takes the lock
    """
    database = database_of(database_url)
    fetchval, is_leading = asyncpg.Connection.fetchval, asyncio.Event()

    async def fetch_and_die(self, statement, *args, **kwargs):
        found = await fetchval(self, statement, *args, **kwargs)
        if "pg_try_advisory_lock" in statement:
            is_leading.set()
            await asyncio.Event().wait()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "fetchval", fetch_and_die)
        dying = asyncio.create_task(RelaySession.lead(database, idle_seconds=0.2))
        await is_leading.wait()
    watcher = await asyncpg.connect(database_url)

    async def is_free() -> bool:
        return bool(await watcher.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))

    try:
        await eventually(is_free)
    finally:
        await watcher.close()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        await database.close()


async def test_r12_a_connection_to_a_former_primary_is_given_up_once_the_pulse_has_found_the_new_one(
    database_url, valkey_factory
):
    """
    First primary:    no heartbeat any more, and answers on
    second primary:                          has the heartbeat
    replica, pulse:                          reconnects, finds the second
    replica, reads:   on the first ──────────────────────────── must not stay there
    """
    first, second = valkey_factory(), valkey_factory()
    async with open_world(database_url, first.url, bound_seconds=0.5) as world:
        link = await world.proxy()
        replica = await world.replica(redis_url=link.url, fails_over=True, lanes=1)
        await replica.put(1)
        link._upstream_url = second.url  # new connections go to the second; the old ones live on
        await world.lead(redis_url=second.url)
        await world.redis("DEL", "aside:hb", url=first.url)

        async def granted() -> bool:
            return await world.relay.poll() is not None

        await eventually(granted)
        await replica.redis.pulse._lane.close()
        await replica.beat()

        async def hits() -> bool:
            await world.relay.carry()
            outcome = (await replica.get()).outcome
            if outcome is Outcome.BYPASS:  # the lease of a fill that went to the first
                await world.redis("DEL", f"cache:{KIND}:x", url=second.url)
            return outcome is Outcome.HIT

        await eventually(hits)


@pytest.mark.parametrize(("reopen_seconds", "found"), [(0.0, "second"), (None, "first")])
async def test_r12_a_relay_looks_anew_who_is_at_an_address_that_may_move(valkey_factory, reopen_seconds, found):
    """
    First primary:   gone ── the address moves ── back, as a primary, before anybody has told it otherwise
    relay:                                             connects too early, and is at the first
    readers:                                                                      at the second: no heartbeat there
    """
    servers = {"first": valkey_factory(), "second": valkey_factory()}
    async with Proxy.open(servers["first"].url) as link:
        granter = Granter(connector(link.url), NullRecorder(), timeout_seconds=5, reopen_seconds=reopen_seconds)
        await granter.now_ms()
        link._upstream_url = servers["second"].url  # new connections go to the second; the old ones live on
        await granter.now_ms()
        assert granter.run_id in (command(servers[found].url, "INFO", "server") or "")
        await granter.close()
