"""A database of one's own, a plain connection to it, and the table as the service uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.db.entities import EntityTable
from service.db.pool import Database


def make_database(url: str, *, statement_timeout_seconds: float = 2.0, connections: int = 2) -> Database:
    return Database(
        url,
        load_connections=connections,
        write_connections=connections,
        spare_connections=1,
        connect_timeout_seconds=2.0,
        statement_timeout_seconds=statement_timeout_seconds,
    )


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else with psql."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = make_database(database_url)
    yield made
    await made.close()


@pytest.fixture
def table(database: Database) -> EntityTable:
    return EntityTable(database, max_body_bytes=1_000)
