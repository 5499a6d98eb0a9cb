"""The keys that are read most: this process samples its hits, and says now and then in PostgreSQL what it has seen.

So they are known after everything was restarted, when they are needed: to warm a cache that has become empty.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from service.cache.keys import split
from service.cache.top_keys import TopKeys
from service.db.hot_keys import HotKey, HotKeyTable
from service.domain.entity import EntityKey
from service.errors import UnavailableError

log = structlog.get_logger(__name__)

_KEPT = 1_000
_SAY_SECONDS = 20.0
_SAY_AT_THE_END_SECONDS = 1.0


class HotKeys:
    """Of one process, which ``replica`` tells from all others."""

    def __init__(self, table: HotKeyTable, *, replica: str) -> None:
        self._table = table
        self._replica = replica
        self._top = TopKeys(time.monotonic())
        self._task: asyncio.Task[None] | None = None

    def beside(self, note: Callable[[str], int]) -> Callable[[str], int]:
        """A function for the engine's sampled hits, which tells us and then ``note``."""

        def noted(name: str) -> int:
            self._top.note(name)
            return note(name)

        return noted

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            with suppress(UnavailableError, TimeoutError):
                async with asyncio.timeout(_SAY_AT_THE_END_SECONDS):
                    await self._say()

    async def hottest(self, limit: int) -> list[HotKey]:
        """Of all replicas together, the hottest first. May raise UnavailableError."""
        others = await self._table.hottest(max(limit, _KEPT), but=self._replica)
        rates = {each.key: each.reads_per_second for each in others}
        for mine in self._mine():
            rates[mine.key] = rates.get(mine.key, 0.0) + mine.reads_per_second
        hottest = sorted(rates.items(), key=lambda item: item[1], reverse=True)
        return [HotKey(key, rate) for key, rate in hottest[:limit]]

    def _mine(self) -> list[HotKey]:
        top = self._top.top(time.monotonic(), _KEPT)
        return [HotKey(EntityKey(*split(heat.name)), heat.reads_per_second) for heat in top]

    async def _say(self) -> None:
        if mine := self._mine():
            await self._table.keep(self._replica, mine)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SAY_SECONDS)
            try:
                await self._say()
            except UnavailableError:
                continue  # PostgreSQL is away: said by others
            except Exception:
                # This loop owns whatever else may happen: what is hot would otherwise be forgotten with the process.
                log.exception("hot_keys_failed")
