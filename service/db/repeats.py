"""The `idempotency_key` table: which requests were done, and what each has written.

Noted by the transaction that writes, so that both are there or neither is, wherever the process was killed. Kept are
versions, moments and the document, not the text of the answer: that is made of them again, by the code that made the
first one, so that what it says of the cache is true of the repeat.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from service.db.pool import Database
from service.db.sql import sql
from service.domain.entity import WrittenRow
from service.domain.repeatable import Repeatable
from service.errors import KeyReusedError, RepeatUnderWayError


class RepeatTable:
    """What was done, to be asked before anything is done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, request: Repeatable) -> list[WrittenRow] | None:
        """What the request has written, by its first attempt, which is committed; None where none is known.

        Raises KeyReusedError where the key stands for another request, UnavailableError.
        """
        async with self._database.writing() as connection:
            record = await connection.fetchrow(sql("repeat_recall"), request.client, request.key)
        if record is None:
            return None
        if record["digest"] != request.digest:
            raise KeyReusedError("this Idempotency-Key stands for another request", pointer="Idempotency-Key")
        written = zip(record["versions"], record["modified_at_ms"], record["created"], strict=True)
        return [WrittenRow(version, record["body"], at_ms, None, created) for version, at_ms, created in written]


async def claim(connection: asyncpg.Connection, request: Repeatable) -> None:
    """First of all in a transaction: from here on no other one can do the request. Raises RepeatUnderWayError."""
    if not await connection.fetchval(sql("repeat_claim"), request.client, request.key, request.digest):
        raise RepeatUnderWayError("a request with this Idempotency-Key is under way: repeat it later")


async def keep(
    connection: asyncpg.Connection, request: Repeatable, rows: Sequence[WrittenRow], *, body: bytes | None
) -> None:
    """Last of all in the same transaction. ``rows`` stand in the order of the request, ``body`` is what is answered."""
    await connection.execute(
        sql("repeat_keep"),
        request.client,
        request.key,
        [row.version for row in rows],
        [row.created for row in rows],
        [row.modified_at_ms for row in rows],
        body,
    )
