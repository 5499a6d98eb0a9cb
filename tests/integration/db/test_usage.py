"""Who has the connections: each share, and what has none of its own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from service.db.pool import Database
from tests.support.waiting import eventually


async def test_each_share_tells_how_many_of_its_connections_are_taken(database_url: str) -> None:
    database = Database(
        database_url,
        load_connections=2,
        write_connections=2,
        browse_connections=1,
        spare_connections=1,
        connect_timeout_seconds=2,
        statement_timeout_seconds=2,
    )
    assert database.usage == (0, 2, 0, 1, 0, 3)
    async with AsyncExitStack() as taken:
        for _ in range(2):
            await taken.enter_async_context(database.writing())
        await taken.enter_async_context(database.browsing())
        await taken.enter_async_context(database.connection())
        assert database.usage == (2, 2, 1, 1, 1, 3)
        third = asyncio.create_task(taken.enter_async_context(database.writing()))
        await asyncio.sleep(0)
        assert database.usage.writing == 2  # who waits for a place has none
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)
    await eventually(lambda: database.usage == (0, 2, 0, 1, 0, 3))
    await database.close()
