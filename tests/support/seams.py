"""The engine's seams with gates in them: a source, a table and a store that a test can stop half-way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from service.cache.entry import Reading
from service.cache.redis_store import RedisStore
from service.cache.store import Applied, Change, Filled, Install, Leased
from service.db.batches import BatchTable
from service.db.entities import EntityTable, Source
from service.domain.entity import EntityKey, WrittenRow
from service.domain.row import Coverage, Truth, VersionedRow
from service.errors import CacheUnavailableError
from tests.support.gates import Gates
from tests.support.looking import call_back


class GatedSource:
    """See :class:`service.db.entities.Source`. Keeps count of the queries, and of how many ran at once."""

    def __init__(self, source: Source, gates: Gates) -> None:
        self._source = source
        self._gates = gates
        self.queries = 0
        self.running = 0
        self.most_at_once = 0

    async def load(self, keys: Sequence[EntityKey]) -> list[VersionedRow]:
        return await self._counted(self._source.load, keys)

    async def load_with_coverage(self, keys: Sequence[EntityKey]) -> list[tuple[VersionedRow, Coverage]]:
        return await self._counted(self._source.load_with_coverage, keys)

    async def versions(self, keys: Sequence[EntityKey]) -> list[Truth]:
        truths = await self._source.versions(keys)
        await self._gates.loaded.passing()
        return truths

    async def _counted(self, load: Any, keys: Sequence[EntityKey]) -> Any:
        self.queries += 1
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await self._gates.loading.passing()
            rows = await load(keys)
        finally:
            self.running -= 1
        await self._gates.loaded.passing()
        return rows


class GatedTable(EntityTable):
    """The table, with a gate between every commit and whatever follows it."""

    gates: Gates

    async def _write(self, *args: Any, **kwargs: Any) -> WrittenRow:
        row = await super()._write(*args, **kwargs)
        await self.gates.committed.passing()
        return row


class GatedBatches(BatchTable):
    """The same of batches."""

    gates: Gates

    async def write(self, *args: Any, **kwargs: Any) -> list[WrittenRow]:
        rows = await super().write(*args, **kwargs)
        await self.gates.committed.passing()
        return rows


class GatedStore:
    """See :class:`service.cache.store.Store`. ``dead``: the process is gone, and sends nothing any more."""

    def __init__(self, store: RedisStore, gates: Gates) -> None:
        self._store = store
        self._gates = gates
        self.dead = False
        self.leases = 0
        """How often one was asked for."""

    @property
    def available(self) -> bool:
        return self._store.available

    def generation_of(self, name: str) -> bytes:
        return self._store.generation_of(name)

    def now_ms(self) -> int:
        return self._store.now_ms()

    async def read(self, name: str) -> Reading:
        await self._gates.reading.passing()
        return await self._living().read(name)

    def look(self, name: str, then: Callable[[Reading | None, BaseException | None], None]) -> None:
        call_back(self.read(name), then)

    async def read_many(self, names: Sequence[str]) -> list[Reading]:
        await self._gates.reading.passing()
        return await self._living().read_many(names)

    async def lease(self, name: str, token: bytes, *, for_write: bool = False) -> Leased:
        self.leases += 1
        await self._gates.leasing.passing()
        return await self._living().lease(name, token, for_write=for_write)

    def ask_lease(self, name: str, token: bytes, then: Callable[[Leased | None, BaseException | None], None]) -> None:
        call_back(self.lease(name, token), then)

    async def fill(self, name: str, token: bytes, version: int, install: Install) -> Filled:
        await self._gates.filling.passing()
        return await self._living().fill(name, token, version, install)

    def ask_fill(
        self, name: str, token: bytes, version: int, install: Install,
        then: Callable[[Filled | None, BaseException | None], None],
    ) -> None:  # fmt: skip
        call_back(self.fill(name, token, version, install), then)

    async def apply(self, change: Change) -> Applied:
        await self._gates.applying.passing()
        return await self._living().apply(change)

    async def claim_refresh(self, name: str, token: bytes) -> bool:
        await self._gates.claiming.passing()
        return await self._living().claim_refresh(name, token)

    async def abandon(self, name: str) -> None:
        await self._living().abandon(name)

    async def release_refresh(self, name: str) -> None:
        await self._living().release_refresh(name)

    def _living(self) -> RedisStore:
        if self.dead:
            raise CacheUnavailableError("this process is gone")
        return self._store
