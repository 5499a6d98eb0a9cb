"""Per-key locks inside one process. Releasing one wakes all that wait for it, at once.

An ordinary lock would hand over to one waiter after another; here a thousand readers of one missing key wait for one
load, then look at the cache again together, in one MGET. What the leader loaded is not handed to them: its query may
have been sent before their requests began.
"""

from __future__ import annotations

import asyncio

from service.cache.patience import Patience


class Flights:
    """At most one leader per key. Keys are forgotten as soon as their flight ends."""

    def __init__(self) -> None:
        self._ended: dict[str, asyncio.Event | None] = {}
        """None where nobody waits: most loads are for one reader."""

    def lead(self, key: str) -> bool:
        """Become the key's leader, if there is none; the leader must call :meth:`end`, whatever happens."""
        if key in self._ended:
            return False
        self._ended[key] = None
        return True

    def is_free(self, key: str) -> bool:
        """Whether nobody leads it."""
        return key not in self._ended

    def end(self, key: str) -> None:
        ended = self._ended.pop(key)
        if ended is not None:
            ended.set()

    async def wait(self, key: str, timeout_seconds: float) -> bool:
        """Wait for the present flight to end; False where it lasts longer. A cancelled waiter harms nobody."""
        if key not in self._ended:
            return True
        ended = self._ended[key] = self._ended[key] or asyncio.Event()
        try:
            async with Patience(timeout_seconds):
                await ended.wait()
        except TimeoutError:
            return False
        return True

    def __len__(self) -> int:
        return len(self._ended)
