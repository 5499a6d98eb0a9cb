"""The `parameter_version` table: what parameters were. Triggers write it, this reads it, the relay's prune forgets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from service.db.pool import Database
from service.db.sql import sql


@dataclass(frozen=True, slots=True)
class RecordedVersion:
    """One version. ``document`` is the parameter as it was served then, ``content`` what had been written (JSON text);
    both None for a deletion.
    """

    version: int
    content: str | None
    document: bytes | None
    modified_at_ms: int


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some of the versions, newest first, as JSON; the next ones come below ``next_version``, None at the end."""

    documents: list[bytes]
    next_version: int | None


class ParameterHistory:
    """Every method reads the primary, and may raise UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self, key: str, version: int) -> RecordedVersion | None:
        return await self._one("parameter_by_version", key, version)

    async def as_of(self, key: str, at: datetime) -> RecordedVersion | None:
        return await self._one("parameter_as_of", key, at)

    async def now(self, key: str) -> RecordedVersion | None:
        """As it is; None where it does not exist."""
        return await self._one("parameter_now", key)

    async def _one(self, name: str, *args: object) -> RecordedVersion | None:
        async with self._database.browsing() as connection:
            record = await connection.fetchrow(sql(name), *args)
        return None if record is None else _recorded(record)

    async def versions(self, key: str, *, below: int, limit: int) -> VersionPage:
        async with self._database.browsing() as connection:
            records = await connection.fetch(sql("parameter_versions"), key, below, limit + 1)
        shown = records[:limit]
        return VersionPage([record["body"] for record in shown], shown[-1]["version"] if len(records) > limit else None)


def _recorded(record: asyncpg.Record) -> RecordedVersion:
    return RecordedVersion(
        version=record["version"],
        content=record["content"],
        document=record["body"],
        modified_at_ms=int(record["at"].timestamp() * 1000),
    )
