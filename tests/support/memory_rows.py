"""A loader and a ledger over a dictionary: rows by name, versions in the order of commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from service.cache.store import Found
from service.domain.row import Coverage, VersionedRow
from service.errors import DatabaseUnavailableError
from tests.support.looking import call_back


class MemoryRows:
    """See :class:`service.cache.store.Loader` and :class:`service.cache.store.Ledger`.

    ``reachable`` False: both fail. ``hold`` keeps loads waiting after they have read, ``during_load`` runs when one has
    read its row: where a test puts a race. ``covered`` is what the ledger says.
    """

    def __init__(self) -> None:
        self.reachable = True
        self.covered = False
        self.wait_seconds = 0.002
        self.loads = 0
        self.coverage_loads = 0
        self.coverages = 0
        self.hold: asyncio.Event | None = None
        self.during_load: Callable[[], None] | None = None
        self._rows: dict[str, VersionedRow] = {}
        self._version = 0

    def commit(self, name: str, body: bytes | None, *, ttl_seconds: float | None = None) -> VersionedRow:
        """A committed write; no body: a deletion."""
        self._version += 1
        row = VersionedRow(self._version, body, modified_at_ms=1, ttl_seconds=ttl_seconds)
        self._rows[name] = row
        return row

    async def load(self, name: str) -> VersionedRow:
        self.loads += 1
        return await self._read(name)

    async def load_with_coverage(self, name: str) -> tuple[VersionedRow, Coverage]:
        self.coverage_loads += 1
        return await self._read(name), Coverage(self.covered, self.wait_seconds)

    def ask(
        self, name: str, then: Callable[[Found | None, BaseException | None], None], *, with_coverage: bool
    ) -> None:  # fmt: skip
        async def found() -> Found:
            if with_coverage:
                return Found(*await self.load_with_coverage(name))
            return Found(await self.load(name), None)

        call_back(found(), then)

    async def coverage(self, version: int) -> Coverage:
        self._require()
        self.coverages += 1
        await asyncio.sleep(0)
        return Coverage(self.covered, self.wait_seconds)

    async def _read(self, name: str) -> VersionedRow:
        self._require()
        row = self._rows.get(name, VersionedRow(0, None))
        await asyncio.sleep(0)
        if self.during_load is not None:
            self.during_load()
        if self.hold is not None:
            await self.hold.wait()
            self._require()
        return row

    def _require(self) -> None:
        if not self.reachable:
            raise DatabaseUnavailableError("a test took it away")
