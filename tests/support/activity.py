"""What the connections of the service to PostgreSQL and Valkey are doing, as those servers see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg

from service.embedded import Valkey
from tests.support.valkey_commands import command

_LOADS = """
SELECT count(*) FILTER (WHERE state = 'active' AND query LIKE '-- load%') AS loading, count(*) AS connected
FROM pg_stat_activity WHERE application_name = 'aside' AND datname = current_database()"""


@dataclass(slots=True)
class Seen:
    """One entry for each look: connections that were loading, and connections at all."""

    loading: list[int] = field(default_factory=list)
    connected: list[int] = field(default_factory=list)


@asynccontextmanager
async def watched(database_url: str, *, every_seconds: float = 0.005) -> AsyncIterator[Seen]:
    """Look at PostgreSQL's list of activities in this database all the time."""
    seen = Seen()
    database = await asyncpg.connect(database_url)

    async def look() -> None:
        while True:
            [row] = await database.fetch(_LOADS)
            seen.loading.append(row["loading"])
            seen.connected.append(row["connected"])
            await asyncio.sleep(every_seconds)

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await database.close()


async def database_connections(database_url: str) -> int:
    """How many connections the service has open."""
    database = await asyncpg.connect(database_url)
    try:
        [row] = await database.fetch(_LOADS)
        return int(row["connected"])
    finally:
        await database.close()


def valkey_connections(valkey: Valkey) -> int:
    """How many connections the service has open."""
    clients = command(valkey.url, "CLIENT", "LIST") or ""
    return sum("name=aside" in line for line in clients.splitlines())
