"""Entities: reads through the cache, writes that are told to it before they are acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from service.cache.carried import Then
from service.cache.engine import Engine
from service.cache.entry import Answer, Glance, Wish
from service.cache.keys import name_of
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.tasks import Tasks
from service.db.batches import BatchTable
from service.db.entities import EntityTable
from service.db.pages import Page
from service.domain.batch import Write
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.parameter import PARAMETER
from service.domain.repeatable import Repeatable
from service.errors import BatchRefusedError, Refusal, ReservedTypeError
from service.services.batch_writing import BatchWriter
from service.services.reading import Answers, read_many
from service.services.repeats import Repeats
from service.services.writing import Writer, Written

__all__ = ["Entities", "Written"]


class Entities:
    """Use cases. Parameters can be read here too, and are written elsewhere: ReservedTypeError.

    A write that is ``repeatable`` is done once, however often it is asked for; beside what else it raises, there is
    then KeyReusedError, RepeatUnderWayError.
    """

    def __init__(
        self, engine: Engine, table: EntityTable, tasks: Tasks, recorder: Recorder, policy_of: Callable[[str], Policy],
        *, batches: BatchTable, repeats: Repeats,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._table = table
        self._policy_of = policy_of
        self._writer = Writer(engine, tasks, recorder, policy_of)
        self._batch_writer = BatchWriter(engine, batches, tasks, recorder, policy_of)
        self._repeats = repeats

    async def get(self, key: EntityKey, wish: Wish, glance: Glance | None = None) -> Answer:
        """``body`` None: it does not exist. Raises NotCachedError, UnavailableError."""
        return await self._engine.get(name_of(key.entity_type, key.id), self._policy_of(key.entity_type), wish, glance)

    def glance(self, entity_type: str, entity_id: str, then: Then) -> None:
        """See `Engine.glance`."""
        self._engine.glance(name_of(entity_type, entity_id), self._policy_of(entity_type), then)

    async def get_many(self, entity_type: str, ids: Sequence[str], wish: Wish) -> Answers:
        """One MGET, and at most one query."""
        return await read_many(self._engine, entity_type, ids, policy=self._policy_of(entity_type), wish=wish)

    async def page(self, entity_type: str, *, prefix: str, after: str, limit: int) -> Page:
        return await self._table.page(entity_type, prefix=prefix, after=after, limit=limit)

    async def put(
        self, key: EntityKey, document: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool,
        repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        """Create or replace; a lifetime of its own is kept with it, or dropped. Raises PreconditionFailedError,
        UnacceptableDocumentError, UnavailableError.
        """

        def transact() -> Awaitable[WrittenRow]:
            return self._table.put(
                key, document.decode(), condition=condition, ttl_seconds=ttl_seconds, repeatable=repeatable
            )

        return await self._write(key, transact, wait=wait, repeatable=repeatable)

    async def patch(
        self, key: EntityKey, patch: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool,
        repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        """Merge (RFC 7396). Raises NotFoundError and TooLargeError as well."""

        def transact() -> Awaitable[WrittenRow]:
            return self._table.patch(
                key, patch.decode(), condition=condition, ttl_seconds=ttl_seconds, repeatable=repeatable
            )

        return await self._write(key, transact, wait=wait, repeatable=repeatable)

    async def delete(
        self, key: EntityKey, *, condition: WriteCondition, wait: bool, repeatable: Repeatable | None = None
    ) -> Written:
        """Leave a tombstone. Raises NotFoundError, PreconditionFailedError, UnavailableError."""

        def transact() -> Awaitable[WrittenRow]:
            return self._table.delete(key, condition=condition, repeatable=repeatable)

        return await self._write(key, transact, wait=wait, repeatable=repeatable)

    async def _write(
        self, key: EntityKey, transact: Callable[[], Awaitable[WrittenRow]], *, wait: bool,
        repeatable: Repeatable | None,
    ) -> Written:  # fmt: skip
        if key.entity_type == PARAMETER:
            raise _reserved(key)
        again = await self._repeats.of_one(repeatable, key, wait=wait)
        return again or await self._writer.write(key, transact, wait=wait)

    async def write_batch(
        self, writes: Sequence[Write], *, wait: bool, repeatable: Repeatable | None = None
    ) -> list[Written]:
        """All of them in one transaction, or none; one result for each, in order. No two may have the same key.

        Raises BatchRefusedError, TooLargeError, UnacceptableDocumentError, UnavailableError.
        """
        _refuse_parameters(writes)
        again = await self._repeats.of_many(repeatable, [write.key for write in writes], wait=wait)
        return again or await self._batch_writer.write(writes, wait=wait, repeatable=repeatable)

    async def rehearse_batch(self, writes: Sequence[Write]) -> list[WrittenRow]:
        """What `write_batch` would leave behind, versions excepted. Nothing is written. Raises the same."""
        _refuse_parameters(writes)
        return await self._batch_writer.rehearse(writes)


def _refuse_parameters(writes: Sequence[Write]) -> None:
    """What they need beyond a document, a batch cannot say: who changes them and why, and whether the type may."""
    refusals = [Refusal(place, _reserved(w.key)) for place, w in enumerate(writes) if w.key.entity_type == PARAMETER]
    if refusals:
        raise BatchRefusedError.because_of(refusals, of=len(writes))


def _reserved(key: EntityKey) -> ReservedTypeError:
    return ReservedTypeError(f"parameters are written at /v1/parameters/{key.id}")
