"""Many writes of entities in one transaction: all of them, or none.

Every key is locked by the first statement, in one order for all batches; so two of them never wait for each other.
Conditions are judged under these locks, in SQL. A write that fails its condition does not stop the others from being
tried: the refusal names all that fail, and the transaction is undone as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from service.db.entities import committing, written_row
from service.db.pool import Database
from service.db.repeats import claim, keep
from service.db.sql import sql
from service.domain.batch import Verb, Write
from service.domain.entity import EntityKey, WrittenRow
from service.domain.repeatable import Repeatable
from service.errors import (
    AsideError,
    BatchRefusedError,
    NotFoundError,
    PreconditionFailedError,
    Refusal,
    RepeatUnderWayError,
    TooLargeError,
)

PATCHED_TOGETHER = 16
"""All that the patches of a batch make may have so many times the bytes of one document: it passes through memory."""


class BatchTable:
    """The `entity` table, many writes at once. A patched document may have ``max_body_bytes``."""

    def __init__(self, database: Database, *, max_body_bytes: int) -> None:
        self._database = database
        self._max_body_bytes = max_body_bytes

    async def write(
        self, writes: Sequence[Write], *, with_bodies: bool, repeatable: Repeatable | None = None
    ) -> list[WrittenRow]:
        """One row for each write, in order, without its body unless ``with_bodies``.

        Raises BatchRefusedError, TooLargeError for all patches together, UnavailableError; WriteOutcomeUnknownError
        only for a connection that breaks under the commit: what broke before it has been undone. With ``repeatable``
        RepeatUnderWayError.
        """
        return await self._transact(writes, with_bodies=with_bodies, is_meant=True, repeatable=repeatable)

    async def rehearse(self, writes: Sequence[Write]) -> list[WrittenRow]:
        """The same up to the commit, and then undone: what it says is what a `write` would have said."""
        return await self._transact(writes, with_bodies=False, is_meant=False, repeatable=None)

    async def _transact(
        self, writes: Sequence[Write], *, with_bodies: bool, is_meant: bool, repeatable: Repeatable | None
    ) -> list[WrittenRow]:
        async with self._database.writing() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                if repeatable is not None:
                    await claim(connection, repeatable)
                done = await self._execute(connection, writes, with_bodies=with_bodies)
            except (asyncpg.PostgresError, TooLargeError, RepeatUnderWayError):
                await transaction.rollback()  # at once: others wait for what it has locked
                raise
            failed = [place for place, write in enumerate(writes) if not self._is_done(write, done.get(write.key))]
            if failed or not is_meant:
                await transaction.rollback()
            if failed:
                raise BatchRefusedError.because_of(await _refusals(connection, writes, failed, done), of=len(writes))
            rows = [written_row(done[write.key]) for write in writes]
            if is_meant:
                if repeatable is not None:
                    await keep(connection, repeatable, rows, body=None)
                with committing():
                    await transaction.commit()
        return rows

    async def _execute(
        self, connection: asyncpg.Connection, writes: Sequence[Write], *, with_bodies: bool
    ) -> dict[EntityKey, Any]:
        """What was written, by key. A write that is missing did not meet its condition."""
        put = await connection.fetch(
            sql("batch_put"),
            *_keys(writes),
            [write.document if _is_put_at_once(write) else None for write in writes],
            [write.ttl_seconds for write in writes],
            with_bodies,
        )
        changes = [write for write in writes if not _is_put_at_once(write)]
        if not changes:
            return {_key(record): record for record in put}
        limit = PATCHED_TOGETHER * self._max_body_bytes
        changed = await connection.fetch(
            sql("batch_change"),
            *_keys(changes),
            [write.verb.value for write in changes],
            [write.document for write in changes],
            [write.ttl_seconds for write in changes],
            [_versions(write) for write in changes],
            with_bodies,
            limit,
        )
        if sum(record["bytes"] for record in changed) > limit:
            raise TooLargeError(f"the patched documents would exceed {limit} bytes together")
        locked_only = {write.key for write in changes}
        done = {key: record for record in put if (key := _key(record)) not in locked_only}
        return done | {_key(record): record for record in changed}

    def _is_done(self, write: Write, record: Any) -> bool:
        if record is None:
            return False
        if write.verb is Verb.PATCH:
            return bool(record["bytes"] <= self._max_body_bytes)
        return record["created"] or not write.condition.must_be_absent


def _is_put_at_once(write: Write) -> bool:
    """Whether it is done by the statement that locks: a put that does not depend on a version."""
    return write.verb is Verb.PUT and write.condition.if_match is None


def _keys(writes: Sequence[Write]) -> tuple[list[str], list[str]]:
    return [write.key.entity_type for write in writes], [write.key.id for write in writes]


def _versions(write: Write) -> str | None:
    asked = write.condition.if_match
    return None if asked is None else "{" + ",".join(map(str, asked)) + "}"


def _key(record: Any) -> EntityKey:
    return EntityKey(record["entity_type"], record["id"])


async def _refusals(
    connection: asyncpg.Connection, writes: Sequence[Write], failed: Sequence[int], done: dict[EntityKey, Any]
) -> list[Refusal]:
    """After the transaction was undone. By now it may be another version that stands in the way."""
    records = await connection.fetch(sql("versions"), *_keys([writes[place] for place in failed]))
    current = {_key(record): record["version"] for record in records if record["exists"]}
    return [Refusal(place, _why(writes[place], done, current.get(writes[place].key))) for place in failed]


def _why(write: Write, done: dict[EntityKey, Any], current: int | None) -> AsideError:
    if write.verb is Verb.PATCH and write.key in done:
        return TooLargeError("the patched document would be too large")
    if current is None and write.condition.if_match is None and write.verb is not Verb.PUT:
        return NotFoundError("there is no such entity")
    return PreconditionFailedError("the entity is not what the write expects", current_version=current)
