"""Those who follow the feed of changes as it grows: one reads for all of them, however many they are.

Each stream catches up at its own pace, by pages that it asks for itself, and joins the others at their head. From then
on it is handed what the one reader finds. Whoever takes it too slowly is sent away: nothing is kept for it but a place
to go on from, which it has itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum

import structlog

from service.db.feed import FeedTable
from service.domain.feed import Cursor, Seen, Stretch
from service.errors import CursorGoneError, UnavailableError

log = structlog.get_logger(__name__)

STRETCH = 250
"""Changes that are rendered in one turn of the event loop."""
_STRETCHES_AT_ONCE = 8
"""Of one look: 2,000 changes, or 20,000 in a second."""
MOST_WAITING = 64
"""Stretches that wait for one stream. They are the same objects for all streams."""


class End(Enum):
    """Why a stream ends that its client has not left."""

    GONE = "gone"
    """What follows is not kept any more."""
    SLOW = "slow"
    STOPPING = "stopping"
    FAILED = "failed"


class Follower:
    """One of the streams that are at the head."""

    def __init__(self) -> None:
        self._waiting: deque[Stretch] = deque()
        self._news = asyncio.Event()
        self.end: End | None = None
        """Set once: what waits is told no more."""

    def offer(self, stretch: Stretch) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.finish(End.SLOW)
        else:
            self._waiting.append(stretch)
            self._news.set()

    def finish(self, end: End) -> None:
        if self.end is None:
            self.end = end
        self._waiting.clear()
        self._news.set()

    async def next(self, timeout_seconds: float) -> Stretch | None:
        """What follows; None where nothing has for so long, or where the end has come."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._news.wait()
        except TimeoutError:
            return None
        stretch = self._waiting.popleft() if self._waiting else None
        if not self._waiting and self.end is None:
            self._news.clear()
        return stretch


class Followers:
    """Reads, at the pace of the relay, as long as there is anybody to read for."""

    def __init__(self, table: FeedTable, *, poll_seconds: float) -> None:
        self._table = table
        self._poll_seconds = poll_seconds
        self._at_head: set[Follower] = set()
        self._head: Cursor | None = None
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """Why nothing can be read at the moment, in words."""

    async def join(self, stretch: Stretch) -> tuple[Stretch, Follower | None]:
        """What lies between the end of ``stretch`` and the head, and a place among those that are there.

        Nobody where the head itself has to catch up, or the way is too long: then it goes on from what was read.
        Raises CursorGoneError, UnavailableError.
        """
        async with self._reading:
            if self._task is None:
                self._head = (await self._table.moment()).now
            head = await self._advance()
            if head is None:
                return Stretch(stretch.mark, stretch.until, stretch.until, [], is_last=False), None
            way = await self._table.read(stretch.end, most=STRETCH, until=head)
            if way.goes_on:
                return way, None
            follower = Follower()
            self._at_head.add(follower)
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._run())
            return way, follower

    def leave(self, follower: Follower) -> None:
        self._at_head.discard(follower)

    def finish(self, end: End) -> None:
        """Send everybody away."""
        for follower in self._at_head:
            follower.finish(end)
        self._at_head.clear()

    async def stop(self) -> None:
        self.finish(End.STOPPING)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            async with self._reading:
                if not self._at_head:
                    self._task = None
                    return
                await self._look()

    async def _look(self) -> None:
        try:
            await self._advance()
        except UnavailableError as error:
            self.trouble = str(error)
        except CursorGoneError:
            self.finish(End.GONE)
        except Exception:
            # This loop owns whatever else may happen to it: the streams end, and begin anew where they were.
            log.exception("feed_failed")
            self.finish(End.FAILED)
        else:
            self.trouble = None

    async def _advance(self) -> Seen | None:
        """Read on from the head, and hand it on; the head, where it is at everything that is committed."""
        assert self._head is not None
        for _ in range(_STRETCHES_AT_ONCE):
            stretch = await self._table.read(self._head, most=STRETCH)
            self._head = stretch.end
            if stretch.changes:
                for follower in tuple(self._at_head):
                    follower.offer(stretch)
                    if follower.end is not None:
                        self._at_head.discard(follower)
            if stretch.is_last and not stretch.goes_on:
                return stretch.until
        return None
