"""The failures, each for real: inside the block it is there, after it all is as before."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import httpx

from service.db.changes import LEADERSHIP_LOCK
from tests.alerts.stage import STARTING_SECONDS, Aside
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command
from tests.support.waiting import eventually


@asynccontextmanager
async def one_replica_killed(aside: Aside) -> AsyncIterator[None]:
    aside.replicas[-1].kill()
    yield
    await _started(aside.replicas[-1])


@asynccontextmanager
async def all_replicas_killed(aside: Aside) -> AsyncIterator[None]:
    for replica in aside.replicas:
        replica.kill()
    yield
    for replica in aside.replicas:
        await _started(replica)


@asynccontextmanager
async def a_replica_on_another_database(aside: Aside) -> AsyncIterator[None]:
    """As after a deployment with one wrong address."""
    aside.replicas[-1].kill()
    await _started(aside.stranger)
    yield
    aside.stranger.kill()
    await _started(aside.replicas[-1])


@asynccontextmanager
async def redis_frozen(aside: Aside) -> AsyncIterator[None]:
    aside.valkey.pause()
    yield
    aside.valkey.resume()


@asynccontextmanager
async def postgresql_killed(aside: Aside) -> AsyncIterator[None]:
    with _reading_new_keys(aside):
        aside.postgres.kill()
        yield
        await asyncio.to_thread(aside.postgres.start)


@asynccontextmanager
async def the_lead_in_other_hands(aside: Aside) -> AsyncIterator[None]:
    """A session that holds the lock, and leads nothing. It waits in line before the replicas do."""
    async with _connection(aside) as holder, _connection(aside) as other:
        waiting = asyncio.create_task(holder.execute("SELECT pg_advisory_lock($1)", LEADERSHIP_LOCK))
        await eventually(lambda: _is_waited_for(other))
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
        await waiting
        yield


async def _is_waited_for(connection: asyncpg.Connection) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
        )
    )


@asynccontextmanager
async def a_locked_table(aside: Aside) -> AsyncIterator[None]:
    """As under a careless ALTER TABLE, with readers who do not wait long before they ask again."""
    with _reading_new_keys(aside, pause_seconds=0.02):
        async with _connection(aside) as careless, careless.transaction():
            await careless.execute("LOCK TABLE entity IN ACCESS EXCLUSIVE MODE")
            yield


@asynccontextmanager
async def long_transactions(aside: Aside) -> AsyncIterator[None]:
    """Changes all the time, each of which is committed six seconds after it was made."""

    async def change(number: int) -> None:
        async with _connection(aside) as connection:
            await asyncio.sleep(number * 6 / 16)
            while True:
                async with connection.transaction():
                    await connection.execute("UPDATE entity SET body = '1' WHERE id = $1", f"written-{number}")
                    await connection.execute("SELECT pg_sleep(6)")

    tasks = [asyncio.create_task(change(number)) for number in range(16)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def a_stale_entry(aside: Aside) -> AsyncIterator[None]:
    """A cached answer of the past, put back by hand: what the protocol forbids."""
    async with httpx.AsyncClient(base_url=aside.replica.url, trust_env=False) as client:
        path = "/v1/entities/book/planted"
        await client.put(path, json="old")

        async def is_a_hit() -> bool:
            return "; hit" in (await client.get(path)).headers["cache-status"]

        await eventually(is_a_hit)
        old = command(aside.valkey.url, "GET", "cache:book:planted") or ""
        await client.put(path, json="new")
    planting = asyncio.create_task(_plant(aside, old))
    yield
    planting.cancel()
    await asyncio.gather(planting, return_exceptions=True)


async def _plant(aside: Aside, old: str) -> None:
    """Again and again: the relay may just be carrying the change."""
    while True:
        command(aside.valkey.url, "SET", "cache:book:planted", old)
        await asyncio.sleep(0.2)


@asynccontextmanager
async def a_command_denied(aside: Aside) -> AsyncIterator[None]:
    """As in a managed Redis with rules of its own."""
    command(aside.valkey.url, "ACL", "SETUSER", "default", "-randomkey")
    yield
    command(aside.valkey.url, "ACL", "SETUSER", "default", "+randomkey")


@asynccontextmanager
async def an_older_schema(aside: Aside) -> AsyncIterator[None]:
    async with _connection(aside) as connection:
        newest = await connection.fetchval("SELECT version_num FROM aside_schema_version")
        await connection.execute("UPDATE aside_schema_version SET version_num = '0001'")
        yield
        await connection.execute("UPDATE aside_schema_version SET version_num = $1", newest)


@asynccontextmanager
async def a_full_redis(aside: Aside) -> AsyncIterator[None]:
    """Another application takes all the memory there is, and all that is given back, of a Redis that may not evict."""
    with _reading_new_keys(aside):
        filling = asyncio.create_task(_fill(aside))
        yield
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        command(aside.valkey.url, "EVAL", "return redis.call('UNLINK', unpack(redis.call('KEYS', 'others:*')))", "0")


async def _fill(aside: Aside) -> None:
    size = 1_000_000
    for number in itertools.count():
        try:
            command(aside.valkey.url, "SET", f"others:{number}", "x" * size)
        except RuntimeError:
            size = max(10, size // 10)
            await asyncio.sleep(0.05)


@asynccontextmanager
async def a_small_redis(aside: Aside) -> AsyncIterator[None]:
    """Hardly any room, for readers who ask for ever new keys."""
    with _reading_new_keys(aside):
        memory = command(aside.valkey.url, "INFO", "memory") or ""
        used = next(int(line[12:]) for line in memory.splitlines() if line.startswith("used_memory:"))
        before = aside.valkey.options["maxmemory"]
        command(aside.valkey.url, "CONFIG", "SET", "maxmemory", str(used + 60_000))
        yield
        command(aside.valkey.url, "CONFIG", "SET", "maxmemory", before)


@asynccontextmanager
async def a_job_that_nobody_can_do(aside: Aside) -> AsyncIterator[None]:
    """As a newer version may leave one behind."""
    async with _connection(aside) as connection:
        await connection.execute("INSERT INTO job (kind, origin, wanted) VALUES ('warm', 'request', '{\"moon\": 1}')")
        yield


async def _started(replica: ServiceProcess) -> None:
    await asyncio.to_thread(replica.launch().wait_until_live, STARTING_SECONDS)


@contextmanager
def _reading_new_keys(aside: Aside, *, pause_seconds: float | None = None) -> Iterator[None]:
    before = aside.load.pause_seconds
    aside.load.reads_new_keys, aside.load.pause_seconds = True, pause_seconds or before
    try:
        yield
    finally:
        aside.load.reads_new_keys, aside.load.pause_seconds = False, before


@asynccontextmanager
async def _connection(aside: Aside) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(aside.database_url)
    try:
        yield connection
    finally:
        connection.terminate()
