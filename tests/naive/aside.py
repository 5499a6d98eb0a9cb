"""The service's own object graph as one more strategy: what `open_services` opens, without HTTP, as the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from service.cache.engine import Engine
from service.cache.entry import NO_WISH, Outcome, Settled
from service.cache.recorder import NullRecorder
from service.domain.entity import ALWAYS, EntityKey
from service.domain.row import VersionedRow
from service.services.entities import Entities
from service.settings import PolicySettings, Settings
from service.wiring import open_services
from tests.naive.strategies import Got, WriterDiedError

_HITS = frozenset({Outcome.HIT, Outcome.NEGATIVE_HIT})
_dies: ContextVar[bool] = ContextVar("dies", default=False)


class _Mortal:
    """An engine whose writer may die after its commit: it never gets to say a word to the cache."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def settle(self, name: str, policy: Any, row: VersionedRow, *args: Any, **kwargs: Any) -> Settled:
        if _dies.get():
            raise WriterDiedError(row.version)
        return await self._engine.settle(name, policy, row, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class Aside:
    """All settings as they are by default, apart from the TTL that all strategies share."""

    name: ClassVar[str] = "Aside"
    says: ClassVar[str] = "the entry protocol, default settings"

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        entities._writer._engine = _Mortal(entities._writer._engine)  # type: ignore[assignment]

    async def read(self, key: str) -> Got:
        answer = await self._entities.get(EntityKey("thing", key), NO_WISH)
        return Got(answer.version, answer.outcome in _HITS, answer.body or b"")

    async def write(self, key: str, body: str, *, dies: bool = False) -> int:
        _dies.set(dies)  # seen by the task that writes: it is begun in this context
        written = await self._entities.put(
            EntityKey("thing", key), body.encode(), condition=ALWAYS, ttl_seconds=None, wait=True
        )
        return written.row.version

    async def close(self) -> None:
        """Closed by whoever opened it."""


@asynccontextmanager
async def open_aside(database_url: str, redis_url: str, *, ttl_seconds: float) -> AsyncIterator[Aside]:
    settings = Settings(
        DATABASE_URL=database_url, REDIS_URL=redis_url, default_policy=PolicySettings(ttl_seconds=ttl_seconds)
    )
    async with open_services(settings, NullRecorder()) as services:
        yield Aside(services.entities)
