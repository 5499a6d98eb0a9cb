"""A little load for one Aside: reads of keys that are cached, reads of keys that nobody asked for before, writes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

import httpx

KEYS = 20
_PAUSE_SECONDS = 0.2


class Load:
    """``reads_new_keys``: whether readers ask for keys that cannot be cached yet; ``pause_seconds`` between two."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.reads_new_keys = False
        self.pause_seconds = _PAUSE_SECONDS
        self._urls = itertools.cycle(f"{url}/v1/entities/book" for url in urls)
        self._new = itertools.count()

    @classmethod
    @asynccontextmanager
    async def on(cls, urls: Sequence[str], *, readers: int = 6) -> AsyncIterator[Self]:
        load = cls(urls)
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            tasks = [asyncio.create_task(load._read(client, number)) for number in range(readers)]
            tasks.append(asyncio.create_task(load._write(client)))
            try:
                yield load
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, client: httpx.AsyncClient, number: int) -> None:
        for turn in itertools.count(number):
            key = f"new-{next(self._new)}" if self.reads_new_keys else f"k{turn % KEYS}"
            with suppress(httpx.HTTPError):  # a replica that was killed
                await client.get(f"{next(self._urls)}/{key}")
            await asyncio.sleep(self.pause_seconds)

    async def _write(self, client: httpx.AsyncClient) -> None:
        for turn in itertools.count():
            with suppress(httpx.HTTPError):
                await client.put(f"{next(self._urls)}/written-{turn % KEYS}", json={"turn": turn})
            await asyncio.sleep(_PAUSE_SECONDS)
