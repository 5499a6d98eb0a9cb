"""When a version may be told to the outside: once no cache that readers trust can answer with anything older.

Writers settle what they committed before they acknowledge it; a reader that went around the cache settles what it
loaded before it answers. Otherwise, with Redis out of reach of this process only:

    writer:    commits v2 ── (apply lost) ────────────────────────────── acknowledges
    reader 1:                     loads v2 ── (repair lost) ── answers v2
    reader 2, another replica:                                              hit: answers v1, backwards
"""

from __future__ import annotations

import asyncio
import time

from service.cache.entry import Lease
from service.cache.store import Change, Install, Ledger, Store
from service.domain.row import Coverage
from service.errors import CacheUnavailableError, UnavailableError

_STEP_SECONDS = 0.05


class Settler:
    """``bound_seconds`` is B: a heartbeat alive that long after a commit was granted by a poll made after it."""

    def __init__(self, store: Store, ledger: Ledger, *, bound_seconds: float) -> None:
        self._store = store
        self._ledger = ledger
        self._bound_seconds = bound_seconds

    async def try_apply(self, change: Change) -> bool:
        """One attempt; True where it reached the cache that readers trust."""
        try:
            return (await self._store.apply(change)).counts
        except CacheUnavailableError:
            return False

    async def try_fill(self, change: Change, lease: Lease, install: Install) -> bool:
        """Install under a lease taken before the commit; where that is refused, apply. One attempt each."""
        try:
            filled = await self._store.fill(change.name, lease.token, change.version, install)
        except CacheUnavailableError:
            return await self.try_apply(change)
        if filled.stored:
            return filled.counts
        return await self.try_apply(change)

    async def settle(self, change: Change, *, since: float, known: Coverage | None = None) -> bool:
        """Return when it is safe to tell: True if the cache took the change, False if the heartbeat was waited out.

        ``since`` (monotonic seconds) is a moment after the commit; ``known`` what the ledger has said after it.
        Waits B at the most, and not at all in an outage that has already lasted longer than any heartbeat.
        """
        deadline = since + self._bound_seconds
        coverage = known
        while True:
            if coverage is None:
                coverage = await self._coverage(change.version)
            left = deadline - time.monotonic()
            if coverage.covered or left <= 0:
                return False
            await asyncio.sleep(min(_STEP_SECONDS, left, max(coverage.wait_seconds, 0.001)))
            if self._store.available and await self.try_apply(change):
                return True
            coverage = None

    async def _coverage(self, version: int) -> Coverage:
        try:
            return await self._ledger.coverage(version)
        except UnavailableError:  # the ledger cannot be read: the clock decides
            return Coverage(covered=False, wait_seconds=self._bound_seconds)
