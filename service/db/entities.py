"""The `entity` table: one source of rows. A source loads many keys at once into versioned rows; see :class:`Source`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import asyncpg

from service.db.pages import Page, beyond, page_of
from service.db.pool import Database
from service.db.repeats import claim, keep
from service.db.sql import sql
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.repeatable import Repeatable
from service.domain.row import Coverage, Truth, VersionedRow
from service.errors import (
    AsideError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
    WriteOutcomeUnknownError,
)

_TOO_LARGE = "AS413"
# The server may say goodbye after it has committed, e.g. while it waits for a synchronous standby.
_SESSION_ENDED = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


class Source(Protocol):
    """Where the rows of an entity type come from. May raise UnavailableError."""

    async def load(self, keys: Sequence[EntityKey]) -> list[VersionedRow]:
        """One row for each key, in order. Reads the primary.

        Where there is none, a row without a body, of a version above all that were there before: see `VersionedRow`.
        """

    async def load_with_coverage(self, keys: Sequence[EntityKey]) -> list[tuple[VersionedRow, Coverage]]:
        """The same, with what the ledger says of each version, in one snapshot."""

    async def versions(self, keys: Sequence[EntityKey]) -> list[Truth]:
        """What the audit compares: the versions of different keys, in order, in one snapshot, without their bodies."""


class EntityTable:
    """The source behind every entity type that has no table of its own, and the only one that is written to."""

    def __init__(self, database: Database, *, max_body_bytes: int) -> None:
        self._database = database
        self._max_body_bytes = max_body_bytes

    async def load(self, keys: Sequence[EntityKey]) -> list[VersionedRow]:
        found = {(r["entity_type"], r["id"]): row_of(r) for r in await self._fetch("load", keys)}
        return [found[key] for key in keys]

    async def load_with_coverage(self, keys: Sequence[EntityKey]) -> list[tuple[VersionedRow, Coverage]]:
        found = {(r["entity_type"], r["id"]): r for r in await self._fetch("load_with_coverage", keys)}
        records = [found[key.entity_type, key.id] for key in keys]
        return [(row_of(r), coverage_of(r)) for r in records]

    async def versions(self, keys: Sequence[EntityKey]) -> list[Truth]:
        return await read_versions(self._database, keys)

    async def _fetch(self, name: str, keys: Sequence[EntityKey]) -> list[Any]:
        types, ids = [key.entity_type for key in keys], [key.id for key in keys]
        async with self._database.connection() as connection:
            return await connection.fetch(sql(name), types, ids)

    async def page(self, entity_type: str, *, prefix: str, after: str, limit: int) -> Page:
        """The next entities of a type whose ids begin with ``prefix`` and come after ``after``, by the primary key's
        index: each with its id, version and moment, and with its document as it is served.
        """
        async with self._database.browsing() as connection:
            records = await connection.fetch(
                sql("list_entities"), entity_type, after, prefix, beyond(prefix), limit + 1
            )
        return page_of(records, limit)

    async def put(
        self, key: EntityKey, document: str, *, condition: WriteCondition, ttl_seconds: float | None,
        repeatable: Repeatable | None = None,
    ) -> WrittenRow:  # fmt: skip
        """Create or replace. Raises PreconditionFailedError, UnavailableError; with ``repeatable``, here as below,
        RepeatUnderWayError.
        """
        if condition.if_match is None:
            args: tuple[Any, ...] = (document, ttl_seconds, condition.must_be_absent)
            return await self._write("put", key, *args, repeatable=repeatable)
        args = (document, ttl_seconds, list(condition.if_match))
        return await self._write("put_if_match", key, *args, repeatable=repeatable)

    async def patch(
        self, key: EntityKey, patch: str, *, condition: WriteCondition, ttl_seconds: float | None,
        repeatable: Repeatable | None = None,
    ) -> WrittenRow:  # fmt: skip
        """Merge into what is there. Raises NotFoundError, PreconditionFailedError, TooLargeError, UnavailableError."""
        await self._refuse_if_present(key, condition)
        versions = None if condition.if_match is None else list(condition.if_match)
        args = (patch, ttl_seconds, versions, self._max_body_bytes)
        return await self._write("patch", key, *args, condition=condition, repeatable=repeatable)

    async def delete(
        self, key: EntityKey, *, condition: WriteCondition, repeatable: Repeatable | None = None
    ) -> WrittenRow:
        """Leave a tombstone. Raises NotFoundError, PreconditionFailedError, UnavailableError."""
        await self._refuse_if_present(key, condition)
        versions = None if condition.if_match is None else list(condition.if_match)
        return await self._write("delete", key, versions, condition=condition, repeatable=repeatable)

    async def _write(
        self, statement: str, key: EntityKey, *args: Any, condition: WriteCondition | None = None,
        repeatable: Repeatable | None = None,
    ) -> WrittenRow:  # fmt: skip
        async with self._database.writing() as connection:
            record = await _execute(connection, statement, key, args, repeatable)
            if record is not None:
                return written_row(record)
            current = await connection.fetchval(sql("current_version"), key.entity_type, key.id)
        if condition is not None and condition.if_match is None and current is None:
            raise NotFoundError("there is no such entity")
        raise PreconditionFailedError("the entity is not what the request expects", current_version=current)

    async def _refuse_if_present(self, key: EntityKey, condition: WriteCondition) -> None:
        """`If-None-Match: *` on a patch or a deletion can only fail: there is nothing to change, or it must not be."""
        if not condition.must_be_absent:
            return
        async with self._database.connection() as connection:
            current = await connection.fetchval(sql("current_version"), key.entity_type, key.id)
        if current is not None:
            raise PreconditionFailedError("the entity exists", current_version=current)


async def _execute(
    connection: asyncpg.Connection, statement: str, key: EntityKey, args: tuple[Any, ...],
    repeatable: Repeatable | None,
) -> asyncpg.Record | None:  # fmt: skip
    try:
        return await execute_write(connection, sql(statement), key.entity_type, key.id, *args, repeatable=repeatable)
    except asyncpg.PostgresError as error:
        if error.sqlstate == _TOO_LARGE:
            raise TooLargeError("the patched document would be too large") from error
        raise


async def execute_write(
    connection: asyncpg.Connection, statement: str, *args: Any, repeatable: Repeatable | None = None
) -> asyncpg.Record | None:
    """One statement, one transaction; in which, with ``repeatable``, what it has written is kept."""
    if repeatable is not None:
        return await _execute_once(connection, repeatable, statement, args)
    with committing():
        return await connection.fetchrow(statement, *args)


async def _execute_once(
    connection: asyncpg.Connection, request: Repeatable, statement: str, args: tuple[Any, ...]
) -> asyncpg.Record | None:
    """The key is claimed first: whoever comes second is not judged by what the first has written. Where nothing is
    written, nothing is kept.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await claim(connection, request)
        record = await connection.fetchrow(statement, *args)
        if record is not None:
            row = written_row(record)
            await keep(connection, request, [row], body=row.body)
    except (asyncpg.PostgresError, AsideError):
        await transaction.rollback()  # at once: others wait for what it has locked
        raise
    if record is None:
        await transaction.rollback()
        return None
    with committing():
        await transaction.commit()
    return record


@contextmanager
def committing() -> Iterator[None]:
    """A connection that breaks inside leaves open whether it was committed: WriteOutcomeUnknownError."""
    try:
        yield
    except (OSError, asyncpg.InterfaceError, *_SESSION_ENDED) as error:
        raise WriteOutcomeUnknownError("the write may have happened or not: read before trying again") from error


async def read_versions(database: Database, keys: Sequence[EntityKey]) -> list[Truth]:
    """The versions of rows of the `entity` table, whatever source renders them. May raise UnavailableError."""
    types, ids = [key.entity_type for key in keys], [key.id for key in keys]
    async with database.connection() as connection:
        records = await connection.fetch(sql("versions"), types, ids)
    found = {(r["entity_type"], r["id"]): r for r in records}
    return [_truth(found[key.entity_type, key.id]) for key in keys]


def _truth(record: Any) -> Truth:
    return Truth(record["version"], record["exists"], record["generation"].encode())


def written_row(record: Any) -> WrittenRow:
    return WrittenRow(
        version=record["version"],
        body=record["body"],
        modified_at_ms=record["modified_at_ms"],
        ttl_seconds=record["cache_ttl_seconds"],
        created=record["created"],
    )


def row_of(record: Any) -> VersionedRow:
    return VersionedRow(
        version=record["version"],
        body=record["body"],
        modified_at_ms=record["modified_at_ms"] or 0,
        ttl_seconds=record["cache_ttl_seconds"],
    )


def coverage_of(record: Any) -> Coverage:
    wait_seconds: float = record["wait_seconds"]
    return Coverage(covered=record["applied"] or wait_seconds <= 0, wait_seconds=max(0.0, wait_seconds))
