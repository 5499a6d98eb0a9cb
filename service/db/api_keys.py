"""The `api_key` table: who may do what, until when; and what became of each key. No text of a key comes here.

Triggers stamp each key and write its history, so plain SQL may do what this does. See the migration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from service.db.entities import execute_write
from service.db.notes import note_of
from service.db.pool import Database
from service.db.sql import sql
from service.domain.parameter import Authorship
from service.errors import ConflictError

_TOO_MANY_LIVE = "ASK09"


class LiveKey(NamedTuple):
    """What a process has to know of a key that may be used. ``seconds_left`` None: it does not expire."""

    id: str
    name: str
    digest: bytes
    scopes: tuple[str, ...]
    seconds_left: float | None


class KeyRow(NamedTuple):
    """A key as people see it. ``replaces``: the id of the one that it is to take over from."""

    id: str
    name: str
    scopes: tuple[str, ...]
    replaces: str | None
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyEvent(NamedTuple):
    """What was done to a key: `created`, `changed`, `revoked`, `removed`. ``said``: how it was afterwards."""

    kind: str
    said: dict[str, Any]
    at: datetime
    actor: str | None
    reason: str | None


class ApiKeyTable:
    """Every method may raise UnavailableError, those that write WriteOutcomeUnknownError too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def edition(self) -> tuple[int, datetime]:
        """Another one than before as soon as any key has changed."""
        async with self._database.connection() as connection:
            record = await connection.fetchrow(sql("api_key_edition"))
        assert record is not None, "the migration has put one there"
        return record["number"], record["at"]

    async def live(self) -> list[LiveKey]:
        """All that may be used now."""
        async with self._database.connection() as connection:
            records = await connection.fetch(sql("api_keys_live"))
        return [LiveKey(**{**record, "scopes": tuple(record["scopes"])}) for record in records]

    async def create(
        self, key_id: str, digest: bytes, *, name: str, scopes: Sequence[str], lifetime_seconds: float | None,
        authorship: Authorship,
    ) -> KeyRow:  # fmt: skip
        """Raises ConflictError where a key of this name is live."""
        record = await self._write(
            "api_key_create", note_of(authorship), key_id, name, digest, list(scopes), lifetime_seconds
        )
        assert record is not None, "one row is inserted"
        return _row_of(record)

    async def rotate(
        self, old_id: str, key_id: str, digest: bytes, *, overlap_seconds: float, authorship: Authorship
    ) -> KeyRow | None:
        """The successor; None where the old one is not live. Raises ConflictError where it has one already."""
        record = await self._write("api_key_rotate", note_of(authorship), old_id, key_id, digest, overlap_seconds)
        return None if record is None else _row_of(record)

    async def revoke(self, key_id: str, *, authorship: Authorship) -> bool:
        """Whether there was anything to revoke."""
        return await self._write("api_key_revoke", note_of(authorship), key_id) is not None

    async def newest(self, limit: int) -> list[KeyRow]:
        async with self._database.browsing() as connection:
            return [_row_of(record) for record in await connection.fetch(sql("api_keys"), limit)]

    async def read(self, key_id: str) -> KeyRow | None:
        async with self._database.browsing() as connection:
            record = await connection.fetchrow(sql("api_key_read"), key_id)
        return None if record is None else _row_of(record)

    async def events(self, key_id: str, limit: int) -> list[KeyEvent]:
        """The newest first."""
        async with self._database.browsing() as connection:
            records = await connection.fetch(sql("api_key_events"), key_id, limit)
        return [KeyEvent(**record) for record in records]

    async def used(self, ages: Mapping[str, float]) -> None:
        """Note when keys were last used: how many seconds ago, by id."""
        async with self._database.browsing() as connection:
            await connection.execute(sql("api_keys_used"), list(ages), list(ages.values()))

    async def _write(self, statement: str, *args: Any) -> asyncpg.Record | None:
        async with self._database.writing() as connection:
            try:
                return await execute_write(connection, sql(statement), *args)
            except asyncpg.PostgresError as error:
                if error.sqlstate == _TOO_MANY_LIVE:
                    raise ConflictError(_advice(statement)) from None
                raise


def _advice(statement: str) -> str:
    if statement == "api_key_create":
        return "a key of this name is live: rotate it, or revoke it first"
    return "two keys of this name are live: the older one has to expire or to be revoked first"


def _row_of(record: asyncpg.Record) -> KeyRow:
    return KeyRow(**{**record, "scopes": tuple(record["scopes"])})
