"""Who looks at the pool sees since when PostgreSQL has been away."""

from __future__ import annotations

import asyncio

from service.errors import DatabaseUnavailableError
from tests.conftest import PostgresFactory
from tests.integration.db.conftest import make_database
from tests.support.waiting import eventually


async def test_it_is_known_how_long_postgresql_has_been_away(postgres_factory: PostgresFactory) -> None:
    server = postgres_factory(is_durable=True)
    database = make_database(server.url)
    try:
        assert database.unavailable_seconds == 0
        await asyncio.to_thread(server.kill)

        async def is_away() -> bool:
            try:
                async with database.connection() as connection:
                    await connection.execute("SELECT 1")
            except DatabaseUnavailableError:
                return not database.available
            return False

        await eventually(is_away)
        first = database.unavailable_seconds
        await eventually(lambda: database.unavailable_seconds > first)
        await asyncio.to_thread(server.start)
        await eventually(lambda: database.available)
        assert database.unavailable_seconds == 0
    finally:
        await database.close()
