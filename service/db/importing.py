"""Writes of many entities at once: a chunk, and the note of how far its source has come, in one transaction.

A chunk is one statement. Where PostgreSQL refuses a row of it, its rows are tried one by one, so that each that is bad
can be named; what becomes of the good ones, the caller decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import asyncpg

from service.db.pool import translated
from service.db.sql import sql
from service.domain.interchange import Conflict
from service.errors import AsideError


class Row(NamedTuple):
    """``record`` counts the records of a source from 1; ``body`` is JSON."""

    record: int
    entity_type: str
    id: str
    body: str
    ttl_seconds: float | None


class Progress(NamedTuple):
    """How far a source was read: what is before that place is written. ``digest`` is of these bytes."""

    records: int
    lines: int
    bytes: int
    digest: str
    rejects_bytes: int


class Chunk(NamedTuple):
    """What a transaction did: rows created, rows replaced, and records that were refused, with the reason."""

    created: int
    replaced: int
    refused: dict[int, str]


class RowsRefusedError(AsideError):
    """Rows that cannot be written, by record; and so nothing of their chunk was."""

    def __init__(self, refused: dict[int, str]) -> None:
        super().__init__("rows cannot be written")
        self.refused = refused


_STATEMENTS = {
    Conflict.REPLACE: sql("import_replace"),
    Conflict.SKIP: sql("import_skip"),
    Conflict.FAIL: sql("import_fail"),
}


class ImportSession:
    """On one connection. Every method may raise UnavailableError."""

    def __init__(self, connection: asyncpg.Connection, *, on_conflict: Conflict, note: str) -> None:
        self._connection = connection
        self._statement = _STATEMENTS[on_conflict]
        self._note = note

    async def progress(self, source: str) -> Progress | None:
        """Of an import that was not finished."""
        with translated():
            record = await self._connection.fetchrow(sql("import_progress"), source)
        return None if record is None else Progress(*record)

    async def forget(self, source: str) -> None:
        with translated():
            await self._connection.execute(sql("forget_import_progress"), source)

    async def write(
        self, rows: Sequence[Row], *, takes_part: bool, source: str | None, before_commit: Callable[[Chunk], Progress]
    ) -> Chunk:
        """``takes_part``: good rows are written although others are not; otherwise raises RowsRefusedError.

        What ``before_commit`` returns is noted for ``source``, where that is not None.
        """
        with translated():
            async with self._connection.transaction():
                await self._connection.execute(sql("say"), self._note)
                chunk = await self._write(rows)
                if chunk.refused and not takes_part:
                    raise RowsRefusedError(chunk.refused)
                progress = before_commit(chunk)
                if source is not None:
                    await self._connection.execute(sql("note_import_progress"), source, *progress)
        return chunk

    async def _write(self, rows: Sequence[Row]) -> Chunk:
        try:
            return await self._insert(rows)
        except asyncpg.PostgresError as error:
            if not _is_refusal(error):
                raise
        created = replaced = 0
        refused: dict[int, str] = {}
        for row in rows:
            try:
                one = await self._insert([row])
            except asyncpg.PostgresError as error:
                if not _is_refusal(error):
                    raise
                refused[row.record] = _words_of(error)
            else:
                created, replaced = created + one.created, replaced + one.replaced
        return Chunk(created, replaced, refused)

    async def _insert(self, rows: Sequence[Row]) -> Chunk:
        """In a savepoint: what fails leaves the transaction as it was."""
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in Row._fields]
        async with self._connection.transaction():
            record = await self._connection.fetchrow(self._statement, *columns)
        assert record is not None, "a count always has a row"
        return Chunk(record["created"], record["replaced"], {})


def _is_refusal(error: asyncpg.PostgresError) -> bool:
    """Whether it is the row's fault: its data, a constraint, or a trigger of Aside's."""
    refusals = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
    return isinstance(error, refusals) or (error.sqlstate or "").startswith("AS")


def _words_of(error: asyncpg.PostgresError) -> str:
    """Not the driver's text, which may hold the document."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return "it exists already"
    if (error.sqlstate or "").startswith("AS"):
        return str(error)
    return f"PostgreSQL cannot keep it ({type(error).__name__.removesuffix('Error')})"
