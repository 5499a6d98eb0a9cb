"""Entities: reads through the cache, writes that are told to it before they are acknowledged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.cache.engine import Engine
from service.cache.entry import Answer, Settled, Wish
from service.cache.keys import name_of
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.tasks import Tasks
from service.db.entities import EntityTable
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.row import VersionedRow
from service.errors import AsideError, NotFoundError, PreconditionFailedError


@dataclass(frozen=True, slots=True)
class Written:
    """A committed write, and what may be said of the cache."""

    row: WrittenRow
    settled: Settled


class Entities:
    """Use cases; every write is one short transaction, and finishes although its client goes away."""

    def __init__(
        self, engine: Engine, table: EntityTable, tasks: Tasks, recorder: Recorder, policy_of: Callable[[str], Policy]
    ) -> None:
        self._engine = engine
        self._table = table
        self._tasks = tasks
        self._recorder = recorder
        self._policy_of = policy_of

    async def get(self, key: EntityKey, wish: Wish) -> Answer:
        """``body`` None: it does not exist. Raises NotCachedError, UnavailableError."""
        return await self._engine.get(name_of(key.entity_type, key.id), self._policy_of(key.entity_type), wish)

    async def put(
        self, key: EntityKey, document: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool
    ) -> Written:
        """Create or replace; a lifetime of its own is kept with it, or dropped. Raises PreconditionFailedError,
        UnacceptableDocumentError, UnavailableError.
        """

        def transact() -> Awaitable[WrittenRow]:
            return self._table.put(key, document.decode(), condition=condition, ttl_seconds=ttl_seconds)

        return await self._tasks.finish(self._write(key, transact, wait=wait))

    async def patch(
        self, key: EntityKey, patch: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool
    ) -> Written:
        """Merge (RFC 7396). Raises NotFoundError and TooLargeError as well."""

        def transact() -> Awaitable[WrittenRow]:
            return self._table.patch(key, patch.decode(), condition=condition, ttl_seconds=ttl_seconds)

        return await self._tasks.finish(self._write(key, transact, wait=wait))

    async def delete(self, key: EntityKey, *, condition: WriteCondition, wait: bool) -> Written:
        """Leave a tombstone. Raises NotFoundError, PreconditionFailedError, UnavailableError."""

        def transact() -> Awaitable[WrittenRow]:
            return self._table.delete(key, condition=condition)

        return await self._tasks.finish(self._write(key, transact, wait=wait))

    async def _write(self, key: EntityKey, transact: Callable[[], Awaitable[WrittenRow]], *, wait: bool) -> Written:
        name, policy = name_of(key.entity_type, key.id), self._policy_of(key.entity_type)
        intent = await self._engine.intend(name, policy)
        started = time.monotonic()
        try:
            row = await transact()
        except BaseException as error:
            self._engine.withdraw(name, intent)
            if isinstance(error, AsideError):
                self._recorder.write(_refusal(error))
            raise
        committed = time.monotonic()
        settled = await self._engine.settle(
            name,
            policy,
            VersionedRow(row.version, row.body, row.modified_at_ms, row.ttl_seconds),
            intent,
            since=committed,
            cost_ms=(committed - started) * 1000,
            wait=wait,
        )
        self._recorder.write(settled.value)
        return Written(row, settled)


def _refusal(error: AsideError) -> str:
    if isinstance(error, PreconditionFailedError):
        return "precondition_failed"
    return "not_found" if isinstance(error, NotFoundError) else "failed"
