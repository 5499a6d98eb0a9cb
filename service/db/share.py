"""A share of the connections: how many are taken, how long one is held lately, and who is refused for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.domain.pace import Pace
from service.errors import DatabaseBusyError, OverloadedError


class Share:
    """``size`` places for one kind of ``work``, of which ``plural`` tells people."""

    def __init__(self, size: int, *, work: str, plural: str) -> None:
        self.size = size
        self.busy = 0
        self._places = asyncio.Semaphore(size)
        self._waiting = 0
        self._pace = Pace(size)
        self._work = work
        self._plural = plural

    @asynccontextmanager
    async def taken(self, *, timeout_seconds: float) -> AsyncIterator[None]:
        """Inside, one place is taken. Raises OverloadedError at once where it would take too long, as far as one can
        see, and DatabaseBusyError where it did.
        """
        if self._pace.wait(time.monotonic(), turns_before=self._waiting) > timeout_seconds:
            raise OverloadedError(f"too many {self._plural} wait for PostgreSQL", work=self._work)
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise DatabaseBusyError(f"all connections for {self._plural} are busy") from error
        finally:
            self._waiting -= 1
        self.busy += 1
        began = time.monotonic()
        self._pace.began(began)
        try:
            yield
        finally:
            self._pace.ended(began, time.monotonic())
            self.busy -= 1
            self._places.release()
