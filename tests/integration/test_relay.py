"""The relay on real servers: who leads, what it tells the cache, in which order, and where it begins."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from service.cache.grants import Granted
from service.cache.keys import WATERMARK
from tests.conftest import ValkeyFactory
from tests.integration.relay_bench import NAMES, beats, generation_of, held, hold, insert, leaders
from tests.support.reigns import BOUND_SECONDS, reigning, running_relays
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

# -- who leads -------------------------------------------------------------------------------------------------------


async def test_one_of_three_leads_and_when_it_ends_another_does_before_the_heartbeat_has_died(
    database_url: str, redis_url: str
):
    async with running_relays(database_url, redis_url, 3) as runners:
        await eventually(lambda: {r.relay.state for r in runners} == {"leading", "following"})
        [leader] = leaders(runners)
        await eventually(lambda: beats(redis_url))
        rest = [runner for runner in runners if runner is not leader]
        await leader.relay.stop()
        started = time.monotonic()
        await eventually(lambda: len(leaders(rest)) == 1)
        assert time.monotonic() - started < BOUND_SECONDS
        await eventually(lambda: beats(redis_url))


async def test_a_leader_whose_session_is_killed_gives_way_within_the_bound(
    database_url: str, redis_url: str, sql: asyncpg.Connection
):
    async with running_relays(database_url, redis_url, 3) as runners:
        await eventually(lambda: len(leaders(runners)) == 1 and beats(redis_url))
        term = await sql.fetchval("SELECT term FROM ledger")
        started = time.monotonic()
        await sql.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")

        async def is_another_term() -> bool:
            return bool(await sql.fetchval("SELECT term > $1 FROM ledger", term))

        await eventually(is_another_term)
        assert time.monotonic() - started < BOUND_SECONDS
        await eventually(lambda: len(leaders(runners)) == 1 and beats(redis_url))


# -- a poll ----------------------------------------------------------------------------------------------------------


async def test_a_change_by_plain_sql_is_told_to_the_cache(database_url: str, redis_url: str, sql: asyncpg.Connection):
    async with running_relays(database_url, redis_url):
        await insert(sql, *NAMES)
        await eventually(lambda: beats(redis_url))
        await hold(sql, redis_url, *NAMES)
        started = time.monotonic()
        await sql.execute("UPDATE entity SET body = '2' WHERE id = 'n3'")
        await eventually(lambda: held(redis_url, *NAMES) == 9)
        assert time.monotonic() - started < BOUND_SECONDS
        assert held(redis_url, "t:n3") == 0


async def test_the_ledger_is_written_and_committed_before_the_poll(
    database_url: str, redis_url: str, sql: asyncpg.Connection
):
    """Whoever reads that no grant is noted must know that every later grant has polled its change."""
    other = await asyncpg.connect(database_url)
    async with reigning(database_url, redis_url) as relay:
        await insert(sql, "t:n0")
        await relay.carry()
        await hold(sql, redis_url, "t:n0")
        await sql.execute("UPDATE ledger SET granted_until = 'epoch'")
        transaction = sql.transaction()
        await transaction.start()
        await sql.execute("SELECT FROM ledger FOR UPDATE")
        poll = asyncio.ensure_future(relay.reign.poll())

        async def is_noting() -> bool:
            waiting = (
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'relay_note'"
            )
            return bool(await other.fetchval(waiting))

        await eventually(is_noting)
        await other.execute("UPDATE entity SET body = '2'")  # too late for a poll that was made already
        await transaction.commit()
        assert await poll is Granted.GRANTED
        assert held(redis_url, "t:n0") == 0
    await other.close()


@pytest.mark.parametrize("count", [0, 2, 3, 4, 6, 10])
async def test_many_changes_are_told_page_by_page_and_granted_once(
    database_url: str, redis_url: str, sql: asyncpg.Connection, count: int
):
    async with reigning(database_url, redis_url, page_size=3) as relay:
        await relay.carry()
        await insert(sql, *NAMES)
        await relay.carry()
        await hold(sql, redis_url, *NAMES)
        relay.recording.events.clear()
        names = [name.partition(":")[2] for name in NAMES[:count]]
        await sql.execute("UPDATE entity SET body = '2' WHERE id = ANY ($1)", names)
        await relay.carry()
        assert held(redis_url, *NAMES) == 10 - count
        assert relay.recording.count("cache_call", "grant") == count // 3 + 1


async def test_a_long_transaction_holds_back_the_watermark_and_not_its_neighbours(
    database_url: str, redis_url: str, sql: asyncpg.Connection
):
    """Races R21 and R22."""
    other = await asyncpg.connect(database_url)
    async with reigning(database_url, redis_url) as relay:
        await insert(sql, "t:n0", "t:n1")
        await relay.carry()
        await hold(sql, redis_url, "t:n0", "t:n1")
        transaction = other.transaction()
        await transaction.start()
        await other.execute("UPDATE entity SET body = '2' WHERE id = 'n0'")
        await sql.execute("UPDATE entity SET body = '2' WHERE id = 'n1'")
        await relay.carry()
        assert (held(redis_url, "t:n0"), held(redis_url, "t:n1")) == (1, 0)
        await transaction.commit()
        await relay.carry()
        assert held(redis_url, "t:n0") == 0
    await other.close()


async def test_a_truncate_makes_everything_cached_invisible(database_url: str, redis_url: str, sql: asyncpg.Connection):
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
        before = generation_of(redis_url)
        await sql.execute("TRUNCATE entity")
        await relay.carry()
        assert generation_of(redis_url) not in ("", before)


# -- where to begin --------------------------------------------------------------------------------------------------


async def test_the_next_leader_begins_at_the_watermark_and_keeps_the_generation(
    database_url: str, redis_url: str, sql: asyncpg.Connection
):
    await insert(sql, *NAMES[:2])
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
        before = generation_of(redis_url)
        await hold(sql, redis_url, *NAMES[:2])
    await sql.execute("UPDATE entity SET body = '2' WHERE id = 'n0'")
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
    assert generation_of(redis_url) == before
    assert (held(redis_url, "t:n0"), held(redis_url, "t:n1")) == (0, 1)


@pytest.mark.parametrize("watermark", ["", "1.1|{generation}|nonsense", "nonsense"])
async def test_an_instance_that_cannot_say_what_it_has_missed_begins_another_epoch(
    database_url: str, redis_url: str, sql: asyncpg.Connection, watermark: str
):
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
        before = generation_of(redis_url)
    command(redis_url, "DEL", WATERMARK)
    if watermark:
        command(redis_url, "SET", WATERMARK, watermark.format(generation=before))
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
    assert generation_of(redis_url) not in ("", before)


async def test_a_watermark_older_than_what_was_pruned_begins_another_epoch(
    database_url: str, redis_url: str, sql: asyncpg.Connection
):
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
        old, before = command(redis_url, "GET", WATERMARK) or "", generation_of(redis_url)
        await insert(sql, *NAMES)
        await relay.carry()
        assert await relay.session.prune(changes_after_seconds=0, tombstones_after_seconds=60, at_most=100) == 10
        await relay.carry()
        assert generation_of(redis_url) == before
    command(redis_url, "SET", WATERMARK, old)
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
    assert generation_of(redis_url) not in ("", before)


async def test_another_server_is_not_granted_anything_while_a_heartbeat_may_live_on_the_first(
    database_url: str, redis_url: str, valkey_factory: ValkeyFactory
):
    """Race R12."""
    second = valkey_factory()
    async with reigning(database_url, redis_url) as relay:
        await relay.carry()
    async with reigning(database_url, second.url) as relay:
        assert await relay.reign.poll() is None
        assert not beats(second.url)

        async def is_granted() -> bool:
            assert not (beats(redis_url) and beats(second.url))
            return await relay.reign.poll() is Granted.GRANTED

        await eventually(is_granted)
        assert not beats(redis_url)
