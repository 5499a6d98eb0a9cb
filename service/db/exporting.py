"""Reading all entities of a type in the order of their ids, as text: one COPY, hence one snapshot of PostgreSQL.

A COPY is one statement, so an export is what was true at one moment, however long it takes; meanwhile VACUUM leaves
what has gone since. Pages would each be of a moment of their own, and cost a round trip and an index scan each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg

from service.db.pages import beyond
from service.db.pool import translated
from service.db.sql import sql

Write = Callable[[bytes], Coroutine[Any, Any, None]]
"""Takes a piece of the text, of any length; whoever is slow at it, slows the COPY down."""


class ExportSession:
    """On one connection, whose statements may take as long as they like. Both may raise UnavailableError."""

    def __init__(self, connection: asyncpg.Connection, entity_type: str, *, prefix: str, after: str) -> None:
        self._connection = connection
        self._range = (entity_type, after, prefix, beyond(prefix))

    async def about_how_many(self) -> int:
        """What the planner believes; at once."""
        entity_type, after, prefix, end = self._range
        with translated():
            plan = await self._connection.fetchval(sql("about_how_many"), entity_type, max(after, prefix), end)
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])

    async def copy_lines(self, write: Write) -> None:
        """Lines of JSON. In this form of COPY nothing is escaped, for JSON has neither of these two characters."""
        with translated():
            await self._connection.copy_from_query(
                sql("export_ndjson"), *self._range, output=write, format="csv", delimiter="\x02", quote="\x01"
            )

    async def copy_table(self, write: Write, *, has_header: bool) -> None:
        """Rows of comma-separated values, with the names of the columns before them."""
        with translated():
            await self._connection.copy_from_query(
                sql("export_csv"), *self._range, output=write, format="csv", header=has_header
            )
