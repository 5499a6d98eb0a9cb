"""What PostgreSQL knows of one key, for people who ask why the cache holds what it holds."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from service.db.pool import Database
from service.db.sql import sql
from service.domain.entity import EntityKey


class KnownRow(NamedTuple):
    """``changed_at`` is None, and ``applied`` False, where the change has been pruned from the table of changes."""

    version: int
    exists: bool
    updated_at: datetime
    ttl_seconds: float | None
    changed_at: datetime | None
    applied: bool


async def known_row(database: Database, key: EntityKey) -> KnownRow | None:
    """None where there is no row, not even a tombstone. May raise UnavailableError."""
    async with database.browsing() as connection:
        record = await connection.fetchrow(sql("explain"), key.entity_type, key.id)
    return None if record is None else KnownRow(*record)
