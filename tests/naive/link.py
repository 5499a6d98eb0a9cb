"""The way from a replica to Redis: a proxy that can be broken, and on which everything takes a moment, as on a network.

Without that moment the five strategies would share one event loop so closely that races which are daily bread between
machines would hardly ever happen. It is the same for all, and drawn anew for everything that is sent.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from tests.support.proxy import Proxy, _Link

PAUSES_MS = (0, 0, 1, 1, 2)
"""One of these, each way."""


class Link(Proxy):
    """A :class:`tests.support.proxy.Proxy` with pauses."""

    rng: random.Random

    @classmethod
    @asynccontextmanager
    async def to(cls, upstream_url: str, *, seed: int) -> AsyncIterator[Self]:
        async with cls.open(upstream_url) as link:
            link.rng = random.Random(seed)
            yield link

    async def _send_request(self, link: _Link, data: bytes) -> None:
        await self._pause()
        if link.upstream is None or link.upstream.is_closing():
            raise ConnectionResetError("the other half has gone meanwhile")
        await super()._send_request(link, data)

    async def _send_reply(self, link: _Link, data: bytes) -> None:
        await self._pause()
        if link.writer.is_closing():
            raise ConnectionResetError("the other half has gone meanwhile")
        await super()._send_reply(link, data)

    async def _pause(self) -> None:
        pause_ms = self.rng.choice(PAUSES_MS)
        if pause_ms:
            await asyncio.sleep(pause_ms / 1000)
