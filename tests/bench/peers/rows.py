"""Rows as every peer loads them: one statement, the stored text as it is, no JSON library in between."""

from __future__ import annotations

import os
from typing import Any

import asyncpg

READ = "SELECT convert_to(body::text, 'UTF8') FROM entity WHERE entity_type = $1 AND id = $2 AND NOT deleted"


async def open_pool() -> asyncpg.Pool[Any]:
    """Ten connections, all open before the first request. BENCH_RESET=no: nothing is reset between two users."""
    reset = {} if os.environ.get("BENCH_RESET", "yes") == "yes" else {"reset": leave_as_it_is}
    return await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10, **reset)


async def leave_as_it_is(connection: object) -> None:
    """Right where no statement changes the state of a session. It saves a round trip."""
