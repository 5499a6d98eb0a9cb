"""Waits of callbacks, bounded by one timer for all: one for each would cost as much as what is waited for.

A wait ends up to one round late. Where the loop is busy and the round itself comes late, the waits get another round,
as `service.cache.patience` does it and for the same reason: a reply may lie in the socket, unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")
Then = Callable[[V | None, BaseException | None], None]

_ROUND_SECONDS = 0.02
_BUSY_SECONDS = 0.02
_EXTENSIONS = 4
"""However busy the loop is: no wait is put off by more rounds than this, one after the other."""


class Rounds:
    """Of one owner, in one event loop."""

    def __init__(self) -> None:
        self._waits: dict[Bounded[V], None] = {}  # type: ignore[valid-type]  # each of its own
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._extensions = _EXTENSIONS

    def bound(self, then: Then[V], seconds: float, late: Callable[[], Exception]) -> Bounded[V]:
        """To be called in place of ``then``, which is told of ``late`` if that does not happen within ``seconds``."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        wait = Bounded(self._waits, then, now + seconds, late)
        self._waits[wait] = None
        if self._timer is None:
            self._go_round_at(loop, now + _ROUND_SECONDS)
        return wait

    def _go_round_at(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._due = due
        self._timer = loop.call_at(due, self._go_round, loop)

    def _go_round(self, loop: asyncio.AbstractEventLoop) -> None:
        now, self._timer = loop.time(), None
        is_late = now - self._due > _BUSY_SECONDS and self._extensions > 0
        self._extensions = self._extensions - 1 if is_late else _EXTENSIONS
        if self._waits:
            self._go_round_at(loop, now + _ROUND_SECONDS)  # first: who is told may fail, and the others still wait
        for wait in [] if is_late else [wait for wait in self._waits if wait.due <= now]:
            wait.expire()

    def __len__(self) -> int:
        return len(self._waits)


class Bounded(Generic[V]):
    """Passes on what comes first: what was waited for, or the end of the time. Whatever comes later is nobody's."""

    __slots__ = ("_late", "_then", "_waits", "due")

    def __init__(self, waits: dict[Bounded[V], None], then: Then[V], due: float, late: Callable[[], Exception]) -> None:
        self._waits = waits
        self._then = then
        self._late = late
        self.due = due

    def __call__(self, value: V | None, error: BaseException | None) -> None:
        if self in self._waits:
            del self._waits[self]
            self._then(value, error)

    def expire(self) -> None:
        self(None, self._late())
