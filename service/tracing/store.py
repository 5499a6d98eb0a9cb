"""Spans around what the engine asks of the cache. Each is as long as the asker waits: for its batch, and for Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from opentelemetry.trace import SpanKind, Tracer

from service.cache.entry import Reading
from service.cache.store import Applied, Change, Filled, Install, Leased, Store
from service.tracing.spans import KEY, KEYS, OUTCOME, Attributes, spanned

T = TypeVar("T")


class TracedStore:
    """See :class:`service.cache.store.Store`. What takes a callback has no coroutine that a span could be
    around, and has none.
    """

    def __init__(self, store: Store, *, tracer: Tracer) -> None:
        self._store = store
        self._tracer = tracer
        self.now_ms = store.now_ms
        self.look = store.look
        self.ask_lease = store.ask_lease
        self.ask_fill = store.ask_fill
        self.generation_of = store.generation_of

    @property
    def available(self) -> bool:
        return self._store.available

    def read(self, name: str) -> Awaitable[Reading]:
        return self._spanned("read", {KEY: name}, self._store.read(name), lambda reading: {OUTCOME: _found(reading)})

    def read_many(self, names: Sequence[str]) -> Awaitable[list[Reading]]:
        return self._spanned("read many", {KEYS: len(names)}, self._store.read_many(names), _found_of_many)

    def lease(self, name: str, token: bytes, *, for_write: bool = False) -> Awaitable[Leased]:
        asked = self._store.lease(name, token, for_write=for_write)
        return self._spanned("lease", {KEY: name}, asked, lambda leased: {OUTCOME: _leased(leased)})

    def fill(self, name: str, token: bytes, version: int, install: Install) -> Awaitable[Filled]:
        asked = self._store.fill(name, token, version, install)
        return self._spanned("fill", {KEY: name, "aside.version": version}, asked, _filled)

    def apply(self, change: Change) -> Awaitable[Applied]:
        asked: Attributes = {KEY: change.name, "aside.version": change.version}
        return self._spanned("apply", asked, self._store.apply(change), lambda applied: {OUTCOME: applied.effect.value})

    async def claim_refresh(self, name: str, token: bytes) -> bool:
        return await self._spanned("claim refresh", {KEY: name}, self._store.claim_refresh(name, token), _claimed)

    async def abandon(self, name: str) -> None:
        await self._spanned("abandon", {KEY: name}, self._store.abandon(name), lambda _: {})

    async def release_refresh(self, name: str) -> None:
        await self._spanned("release refresh", {KEY: name}, self._store.release_refresh(name), lambda _: {})

    def _spanned(
        self, op: str, asked: Attributes, work: Awaitable[T], outcome: Callable[[T], Attributes]
    ) -> Awaitable[T]:
        named = {"db.system.name": "redis", **asked}
        return spanned(self._tracer, f"cache {op}", named, work, outcome, kind=SpanKind.CLIENT)


def _found(reading: Reading) -> str:
    if reading.generation is None:
        return "off"
    return "nothing" if reading.raw is None else "something"


def _found_of_many(readings: Sequence[Reading]) -> Attributes:
    return {f"{OUTCOME}.{found}": count for found, count in Counter(map(_found, readings)).items()}


def _leased(leased: Leased) -> str:
    if leased.lease is not None:
        return "granted"
    if leased.reading.generation is None:
        return "off"
    return "busy" if leased.reading.raw is None else "something"


def _filled(filled: Filled) -> Attributes:
    return {OUTCOME: "stored" if filled.stored else "refused"}


def _claimed(is_won: bool) -> Attributes:  # noqa: FBT001, the store's answer
    return {OUTCOME: "won" if is_won else "lost"}
