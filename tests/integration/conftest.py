"""A plain connection to a test's database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody with psql: a connection that knows nothing of Aside."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
