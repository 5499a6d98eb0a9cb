"""The relay when servers fail, go and come: nothing old is vouched for, and the heartbeat comes back by itself."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from service.cache.grants import Granted
from service.db.migrations import upgrade
from tests.conftest import PostgresFactory, ValkeyFactory
from tests.integration.relay_bench import NAMES, beats, held, hold, insert, leaders
from tests.support.reigns import BOUND_SECONDS, reigning, running_relays
from tests.support.valkey_commands import command
from tests.support.waiting import eventually


async def test_a_flushall_heals_by_itself(database_url: str, redis_url: str):
    async with running_relays(database_url, redis_url):
        await eventually(lambda: beats(redis_url))
        command(redis_url, "FLUSHALL")
        command(redis_url, "SCRIPT", "FLUSH")
        await eventually(lambda: beats(redis_url), within_seconds=BOUND_SECONDS)


async def test_an_old_snapshot_is_brought_up_from_its_own_watermark_before_anybody_may_read_it(
    database_url: str, valkey_factory: ValkeyFactory, sql: asyncpg.Connection, tmp_path: Path
):
    """Race R11."""
    redis = valkey_factory()
    async with reigning(database_url, redis.url) as relay:
        await insert(sql, *NAMES[:2])
        await relay.carry()
        await hold(sql, redis.url, *NAMES[:2])
        command(redis.url, "SAVE")
        shutil.copy(redis.rdb, tmp_path / "old.rdb")
        await sql.execute("UPDATE entity SET body = '2' WHERE id = 'n0'")
        await relay.carry()
        redis.kill()
        shutil.copy(tmp_path / "old.rdb", redis.rdb)
        redis.start()
        assert held(redis.url, *NAMES[:2]) == 2

        async def is_granted() -> bool:
            granted = await relay.reign.poll()
            assert granted is not None or held(redis.url, "t:n0") == 1
            return granted is Granted.GRANTED

        await eventually(is_granted)
        assert (held(redis.url, "t:n0"), held(redis.url, "t:n1")) == (0, 1)


async def test_the_relay_survives_a_restart_of_redis(database_url: str, valkey_factory: ValkeyFactory):
    redis = valkey_factory()
    async with running_relays(database_url, redis.url, 2):
        await eventually(lambda: beats(redis.url))
        await asyncio.to_thread(redis.restart)
        await eventually(lambda: beats(redis.url))


async def test_the_relay_survives_a_restart_of_postgresql(postgres_factory: PostgresFactory, redis_url: str):
    server = postgres_factory(is_durable=True)
    await asyncio.to_thread(upgrade, server.url)
    async with running_relays(server.url, redis_url, 2) as runners:
        await eventually(lambda: beats(redis_url))
        await asyncio.to_thread(server.kill)
        await eventually(lambda: not beats(redis_url))
        assert not leaders(runners)
        await asyncio.to_thread(server.start)
        await eventually(lambda: beats(redis_url))


@pytest.mark.parametrize("code", ["53100", "53200", "40P01", "57014", "58030", "XX000"])
async def test_no_error_of_postgresql_ends_the_relay_for_good(
    database_url: str, redis_url: str, sql: asyncpg.Connection, code: str
):
    """A full disk, a deadlock, a cancelled statement, …: when it is over, the heartbeat comes back."""
    async with running_relays(database_url, redis_url):
        await eventually(lambda: beats(redis_url))
        await sql.execute(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'a test' USING ERRCODE = '{code}'; END $$"
        )
        await sql.execute("CREATE TRIGGER fail BEFORE UPDATE ON ledger EXECUTE FUNCTION fail()")
        await eventually(lambda: not beats(redis_url))
        await sql.execute("DROP TRIGGER fail ON ledger")
        await eventually(lambda: beats(redis_url), within_seconds=4 * BOUND_SECONDS)
