"""Spans around loads, and around the queries that serve them: one query for many loads is linked to each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from service.cache.keys import name_of
from service.cache.store import Loader
from service.db.entities import Source
from service.domain.entity import EntityKey
from service.domain.row import Coverage, VersionedRow
from service.tracing.spans import KEY, KEYS, spanned

T = TypeVar("T")


class Waiting:
    """Which loads wait for which key to be sent: none joins a query that is under way."""

    def __init__(self) -> None:
        self._loads: dict[str, list[SpanContext]] = {}

    def note(self, name: str, load: SpanContext) -> None:
        self._loads.setdefault(name, []).append(load)

    def take(self, names: Sequence[str]) -> list[SpanContext]:
        """Those whose query begins now."""
        return [load for name in names for load in self._loads.pop(name, [])]

    def forget(self, name: str, load: SpanContext) -> None:
        """It ended, perhaps before it was sent."""
        loads = self._loads.get(name, [])
        if load in loads:
            loads.remove(load)
            if not loads:
                del self._loads[name]


class TracedLoader:
    """See :class:`service.cache.store.Loader`."""

    def __init__(self, loader: Loader, *, tracer: Tracer, waiting: Waiting) -> None:
        self._loader = loader
        self._tracer = tracer
        self._waiting = waiting
        self.ask = loader.ask

    async def load(self, name: str) -> VersionedRow:
        work = self._noted(name, self._loader.load(name))
        return await spanned(self._tracer, "load", {KEY: name}, work, lambda row: {"aside.version": row.version})

    async def load_with_coverage(self, name: str) -> tuple[VersionedRow, Coverage]:
        work = self._noted(name, self._loader.load_with_coverage(name))
        return await spanned(self._tracer, "load", {KEY: name}, work, lambda got: {"aside.version": got[0].version})

    async def _noted(self, name: str, work: Awaitable[T]) -> T:
        load = get_current_span().get_span_context()
        self._waiting.note(name, load)
        try:
            return await work
        finally:
            self._waiting.forget(name, load)


class TracedSource:
    """See :class:`service.db.entities.Source`. A query for one load is a part of it; one for several is of nobody's
    trace, and linked to all.
    """

    def __init__(self, source: Source, *, tracer: Tracer, waiting: Waiting) -> None:
        self._source = source
        self._tracer = tracer
        self._waiting = waiting
        self.versions = source.versions

    async def load(self, keys: Sequence[EntityKey]) -> list[VersionedRow]:
        return await self._query(keys, self._source.load(keys))

    async def load_with_coverage(self, keys: Sequence[EntityKey]) -> list[tuple[VersionedRow, Coverage]]:
        return await self._query(keys, self._source.load_with_coverage(keys))

    async def _query(self, keys: Sequence[EntityKey], work: Awaitable[T]) -> T:
        loads = self._waiting.take([name_of(*key) for key in keys])
        alone = len(loads) == 1
        # Whoever sent the batch happens to be one of those in it: its context is not the query's.
        parent = set_span_in_context(NonRecordingSpan(loads[0]), Context()) if alone else Context()
        with self._tracer.start_as_current_span(
            "query",
            context=parent,
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", KEYS: len(keys)},
            links=[] if alone else [Link(load) for load in loads],
        ):
            return await work
