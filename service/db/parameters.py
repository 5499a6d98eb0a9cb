"""Parameters in the `entity` table: a source of whole documents, composed in SQL, and the writes with their notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from service.db.entities import coverage_of, execute_write, read_versions, row_of, written_row
from service.db.notes import note_of
from service.db.pages import Page, beyond, page_of
from service.db.pool import Database
from service.db.sql import sql
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.parameter import PARAMETER, Authorship, Content
from service.domain.repeatable import Repeatable
from service.domain.row import Coverage, Truth, VersionedRow
from service.errors import NotFoundError, PreconditionFailedError, TypeChangeError

_TYPE_CHANGES = "AS409"


class ParameterTable:
    """See :class:`service.db.entities.Source`; its rows are parameters as they are served."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, keys: Sequence[EntityKey]) -> list[VersionedRow]:
        found = {record["id"]: row_of(record) for record in await self._fetch("load_parameters", keys)}
        return [found[key.id] for key in keys]

    async def load_with_coverage(self, keys: Sequence[EntityKey]) -> list[tuple[VersionedRow, Coverage]]:
        found = {record["id"]: record for record in await self._fetch("load_parameters_with_coverage", keys)}
        records = [found[key.id] for key in keys]
        return [(row_of(r), coverage_of(r)) for r in records]

    async def versions(self, keys: Sequence[EntityKey]) -> list[Truth]:
        return await read_versions(self._database, keys)

    async def _fetch(self, name: str, keys: Sequence[EntityKey]) -> list[Any]:
        async with self._database.connection() as connection:
            return await connection.fetch(sql(name), [key.id for key in keys])

    async def put(
        self, key: str, content: Content, *, condition: WriteCondition, authorship: Authorship, change_type: bool,
        kind: str | None = None, repeatable: Repeatable | None = None,
    ) -> WrittenRow:  # fmt: skip
        """Create or replace. ``kind`` is what the history calls it, where that is not to be seen from the rows.

        Raises PreconditionFailedError, TypeChangeError, UnavailableError; with ``repeatable``, here as below,
        RepeatUnderWayError.
        """
        note = note_of(authorship, kind=kind, change_type=change_type)
        if condition.if_match is None:
            args: tuple[Any, ...] = (note, content.stored, condition.must_be_absent)
            return await self._write("put_parameter", key, *args, repeatable=repeatable)
        args = (note, content.stored, list(condition.if_match))
        return await self._write("put_parameter_if_match", key, *args, repeatable=repeatable)

    async def delete(
        self, key: str, *, condition: WriteCondition, authorship: Authorship, repeatable: Repeatable | None = None
    ) -> WrittenRow:
        """Leave a tombstone. Raises NotFoundError, PreconditionFailedError, UnavailableError."""
        if condition.must_be_absent:
            await self._refuse_if_present(key)
        versions = None if condition.if_match is None else list(condition.if_match)
        args = (note_of(authorship), versions)
        return await self._write("delete_parameter", key, *args, condition=condition, repeatable=repeatable)

    async def _write(
        self, statement: str, key: str, *args: Any, condition: WriteCondition | None = None,
        repeatable: Repeatable | None = None,
    ) -> WrittenRow:  # fmt: skip
        async with self._database.writing() as connection:
            try:
                record = await execute_write(connection, sql(statement), key, *args, repeatable=repeatable)
            except asyncpg.PostgresError as error:
                if error.sqlstate == _TYPE_CHANGES:
                    raise TypeChangeError(f"{error}; to change it, ask for ?change_type=true") from error
                raise
            if record is not None:
                return written_row(record)
            current = await connection.fetchval(sql("current_version"), PARAMETER, key)
        if condition is not None and condition.if_match is None and current is None:
            raise NotFoundError("there is no such parameter")
        raise PreconditionFailedError("the parameter is not what the request expects", current_version=current)

    async def _refuse_if_present(self, key: str) -> None:
        async with self._database.connection() as connection:
            current = await connection.fetchval(sql("current_version"), PARAMETER, key)
        if current is not None:
            raise PreconditionFailedError("the parameter exists", current_version=current)

    async def page(self, *, prefix: str, after: str, limit: int) -> Page:
        """The next parameters whose keys begin with ``prefix`` and come after ``after``, by the primary key's index."""
        async with self._database.browsing() as connection:
            records = await connection.fetch(sql("list_parameters"), after, prefix, beyond(prefix), limit + 1)
        return page_of(records, limit)


def example_note() -> str:
    return note_of(Authorship(actor="aside", reason="something to show"))
