"""A number of places, given in the order of asking; nobody waits for one longer than it has time.

`asyncio.Semaphore` under `asyncio.timeout`, at a third of the price: each write waits here when there is much to write.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Places:
    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, timeout_seconds: float) -> None:
        """Raises TimeoutError. Who was given a place calls `give_back`, whatever happens."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        given = loop.create_future()
        self._waiting.append(given)
        timer = loop.call_later(timeout_seconds, _expire, given)
        try:
            await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled() and given.exception() is None:
                self.give_back()  # it came in the turn in which its taker was cancelled
            raise
        finally:
            timer.cancel()

    def give_back(self) -> None:
        """To the first who still waits, so that nobody comes in between."""
        while self._waiting:
            given = self._waiting.popleft()
            if not given.done():
                given.set_result(None)
                return
        self._free += 1


def _expire(given: asyncio.Future[None]) -> None:
    if not given.done():
        given.set_exception(TimeoutError())
