"""Entities: reads through the cache, writes that are told to it before they are acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from service.cache.engine import Engine
from service.cache.entry import Answer, Glance, Wish
from service.cache.keys import name_of
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.tasks import Tasks
from service.db.entities import EntityTable
from service.db.pages import Page
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.parameter import PARAMETER
from service.errors import ReservedTypeError
from service.services.reading import Answers, read_many
from service.services.writing import Writer, Written

__all__ = ["Entities", "Written"]


class Entities:
    """Use cases. Parameters can be read here too, and are written elsewhere: ReservedTypeError."""

    def __init__(
        self, engine: Engine, table: EntityTable, tasks: Tasks, recorder: Recorder, policy_of: Callable[[str], Policy]
    ) -> None:
        self._engine = engine
        self._table = table
        self._policy_of = policy_of
        self._writer = Writer(engine, tasks, recorder, policy_of)

    async def get(self, key: EntityKey, wish: Wish, glance: Glance | None = None) -> Answer:
        """``body`` None: it does not exist. Raises NotCachedError, UnavailableError."""
        return await self._engine.get(name_of(key.entity_type, key.id), self._policy_of(key.entity_type), wish, glance)

    def glance(self, entity_type: str, entity_id: str, then: Callable[[Answer | Glance], None]) -> None:
        """See `Engine.glance`."""
        self._engine.glance(name_of(entity_type, entity_id), self._policy_of(entity_type), then)

    async def get_many(self, entity_type: str, ids: Sequence[str], wish: Wish) -> Answers:
        """One MGET, and at most one query."""
        return await read_many(self._engine, entity_type, ids, policy=self._policy_of(entity_type), wish=wish)

    async def page(self, entity_type: str, *, prefix: str, after: str, limit: int) -> Page:
        return await self._table.page(entity_type, prefix=prefix, after=after, limit=limit)

    async def put(
        self, key: EntityKey, document: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool
    ) -> Written:
        """Create or replace; a lifetime of its own is kept with it, or dropped. Raises PreconditionFailedError,
        UnacceptableDocumentError, UnavailableError.
        """

        def transact() -> Awaitable[WrittenRow]:
            return self._table.put(key, document.decode(), condition=condition, ttl_seconds=ttl_seconds)

        return await self._write(key, transact, wait=wait)

    async def patch(
        self, key: EntityKey, patch: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool
    ) -> Written:
        """Merge (RFC 7396). Raises NotFoundError and TooLargeError as well."""

        def transact() -> Awaitable[WrittenRow]:
            return self._table.patch(key, patch.decode(), condition=condition, ttl_seconds=ttl_seconds)

        return await self._write(key, transact, wait=wait)

    async def delete(self, key: EntityKey, *, condition: WriteCondition, wait: bool) -> Written:
        """Leave a tombstone. Raises NotFoundError, PreconditionFailedError, UnavailableError."""

        def transact() -> Awaitable[WrittenRow]:
            return self._table.delete(key, condition=condition)

        return await self._write(key, transact, wait=wait)

    async def _write(self, key: EntityKey, transact: Callable[[], Awaitable[WrittenRow]], *, wait: bool) -> Written:
        if key.entity_type == PARAMETER:
            raise ReservedTypeError(f"parameters are written at /v1/parameters/{key.id}")
        return await self._writer.write(key, transact, wait=wait)
