"""How a long piece of work goes on: no faster than its rate, patient with what fails, until it is stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from service.errors import SchemaMissingError, UnavailableError

T = TypeVar("T")

_RETRY_SECONDS = 0.1


class Pace:
    """Of one run. ``items_per_second`` is None for as fast as it goes."""

    def __init__(self, *, items_per_second: float | None, patience_seconds: float) -> None:
        self._items_per_second = items_per_second
        self._patience_seconds = patience_seconds
        self._next_at = time.monotonic()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End every wait; what waits goes on, and finds it stopped."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    async def turn(self, items: int) -> bool:
        """Wait until so many more are allowed; False where all was stopped meanwhile. One caller at a time."""
        if self._items_per_second is not None:
            now = time.monotonic()
            await self._wait(self._next_at - now)
            self._next_at = max(now, self._next_at) + items / self._items_per_second
        return not self.is_stopped

    async def rest(self, seconds: float) -> None:
        """Wait, or until all is stopped."""
        await self._wait(seconds)

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again what is unavailable, until patience ends or all is stopped: then its error is raised."""
        give_up_at = time.monotonic() + self._patience_seconds
        while True:
            try:
                return await attempt()
            except SchemaMissingError:
                raise
            except UnavailableError:
                if self.is_stopped or time.monotonic() >= give_up_at:
                    raise
            await self._wait(_RETRY_SECONDS)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()
