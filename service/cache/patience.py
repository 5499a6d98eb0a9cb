"""A timeout that does not blame others for a busy event loop.

While the loop works through a crowd of requests, a reply may lie in the socket for longer than its timeout, unread.
A plain timer fires then although nobody was slow, and a healthy Redis would count as gone. So whoever is late here is
asked first: if the timer itself fires late, what was waited for gets that much more time, within bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

_BUSY_SECONDS = 0.02
_EXTENSIONS = 4
"""However busy the loop is: not more often than this, and by no more than was asked for each time."""


class Patience:
    """`async with Patience(seconds)`: raises TimeoutError after ``seconds``, not counting what the loop was late."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scope = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + seconds
        self._extensions = _EXTENSIONS
        self._timer = self._loop.call_at(self._due, self._expire)

    def _expire(self) -> None:
        now = self._loop.time()
        late = now - self._due
        if late > _BUSY_SECONDS and self._extensions > 0:
            self._extensions -= 1
            self._due = now + min(late, self._seconds)
            self._timer = self._loop.call_at(self._due, self._expire)
        else:
            self._scope.reschedule(now)

    async def __aenter__(self) -> None:
        await self._scope.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._scope.__aexit__(kind, error, trace)


async def patiently(operation: Awaitable[T], seconds: float) -> T:
    """What ``operation`` comes to; TimeoutError after ``seconds``, as `Patience` counts them, and it is cancelled.

    For the one future that most waits are about: a timer, and no scope, which costs three times as much.
    """
    future = asyncio.ensure_future(operation)
    watch = _Watch(future, seconds)
    try:
        return await future
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if watch.has_expired and not (task and task.cancelling()):
            raise TimeoutError from None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels a future when its time is over."""

    __slots__ = ("_due", "_extensions", "_future", "_loop", "_seconds", "_timer", "has_expired")

    def __init__(self, future: asyncio.Future[T], seconds: float) -> None:
        self._future = future
        self._seconds = seconds
        self._loop = loop = asyncio.get_running_loop()
        self._due = loop.time() + seconds
        self._extensions = _EXTENSIONS
        self._timer = loop.call_at(self._due, self._expire)
        self.has_expired = False

    def _expire(self) -> None:
        late = self._loop.time() - self._due
        if late > _BUSY_SECONDS and self._extensions > 0:
            self._extensions -= 1
            self._due += late + min(late, self._seconds)
            self._timer = self._loop.call_at(self._due, self._expire)
        else:
            self.has_expired = self._future.cancel()

    def end(self) -> None:
        self._timer.cancel()
