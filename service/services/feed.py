"""The feed of changes: pages for those who ask now and then, streams for those who follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from service.cache.recorder import Recorder
from service.db.feed import FeedTable
from service.domain.feed import Cursor, Page, Stretch, page_of
from service.errors import CursorGoneError, OverloadedError, UnavailableError
from service.services.followers import STRETCH, End, Follower, Followers

LOOKED_AT = 1_000
"""So many changes are looked at for a page of those of one type: it may hold fewer than it could, and say that more
follow."""
_AGAIN_SECONDS = 0.5


class Feed:
    """Of one process. What it raises is of PostgreSQL: UnavailableError, CursorGoneError."""

    def __init__(
        self, table: FeedTable, recorder: Recorder, *, poll_seconds: float, most_streams: int,
        heartbeat_seconds: float = 5.0, look_seconds: float = 0.5,
    ) -> None:  # fmt: skip
        """``heartbeat_seconds``: how long a stream may say nothing; ``look_seconds``: how often it is to be seen
        whether its client may still read it.
        """
        self.heartbeat_seconds = heartbeat_seconds
        self.look_seconds = look_seconds
        self._table = table
        self._recorder = recorder
        self._followers = Followers(table, poll_seconds=poll_seconds)
        self._most_streams = most_streams
        self._streams = 0
        self._stopping = asyncio.Event()

    async def now(self) -> Cursor:
        return (await self._table.moment()).now

    async def oldest(self) -> Cursor:
        return (await self._table.moment()).oldest

    async def page(self, cursor: Cursor, limit: int, wants: Callable[[str], bool] | None = None) -> Page:
        """At most ``limit`` changes; of the types that ``wants`` says, or of all."""
        stretch = await self._table.read(cursor, most=limit if wants is None else LOOKED_AT)
        return page_of(stretch, limit, wants or _everything)

    async def open(self, cursor: Cursor | None) -> Stream:
        """Follow the feed from a place on, or from now on. Raises OverloadedError too, and once `stop_streams` was
        called, UnavailableError. Whoever opens a stream has to close it.
        """
        if self._stopping.is_set():
            raise UnavailableError("this process is about to stop")
        if self._streams >= self._most_streams:
            raise OverloadedError("there are as many streams as there may be", work="bulk")
        self._streams += 1
        try:
            stretch = await self._table.read(cursor or await self.now(), most=STRETCH)
        except BaseException:
            self._streams -= 1
            raise
        self._recorder.stream_opened()
        return Stream(stretch, self._table, self._followers, self._stopping, self._closed)

    def _closed(self, reason: str) -> None:
        self._streams -= 1
        self._recorder.stream_ended(reason)

    def stop_streams(self) -> None:
        """Streams end now, and none is opened any more: their clients go on elsewhere."""
        self._stopping.set()
        self._followers.finish(End.STOPPING)

    async def stop(self) -> None:
        self.stop_streams()
        await self._followers.stop()


class Stream:
    """One client's way through the feed."""

    def __init__(
        self, first: Stretch, table: FeedTable, followers: Followers, stopping: asyncio.Event,
        on_close: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._last = first
        self._table = table
        self._followers = followers
        self._stopping = stopping
        self._on_close: Callable[[str], None] | None = on_close
        self._follower: Follower | None = None
        self.end: End | None = None
        self.words = ""
        """Why it has ended, or why nothing comes."""

    async def steps(self, wait_seconds: float) -> AsyncIterator[Stretch | None]:
        """What has been changed, as it comes; None whenever nothing has come for ``wait_seconds`` at the most.

        It ends with an `end`.
        """
        yield self._last
        while self.end is None:
            step = await (self._catch_up() if self._follower is None else self._follow(self._follower, wait_seconds))
            if self._stopping.is_set():
                self.end = End.STOPPING
            elif self.end is None:
                yield step

    async def _catch_up(self) -> Stretch | None:
        try:
            if self._last.is_last and not self._last.goes_on:
                self._last, self._follower = await self._followers.join(self._last)
            else:
                self._last = await self._table.read(self._last.end, most=STRETCH)
        except CursorGoneError as error:
            self.end, self.words = End.GONE, str(error)
            return None
        except UnavailableError as error:
            self.words = str(error)
            await asyncio.sleep(_AGAIN_SECONDS)
            return None
        self.words = ""
        return self._last

    async def _follow(self, follower: Follower, wait_seconds: float) -> Stretch | None:
        stretch = await follower.next(wait_seconds)
        self.end = follower.end
        self.words = self._followers.trouble or ""
        if self.end is End.GONE:
            self.words = "what follows is not kept any more; read everything again"
        return stretch

    def close(self, reason: str) -> None:
        """``reason`` counts where the stream has not ended by itself."""
        if self._follower is not None:
            self._followers.leave(self._follower)
        if self._on_close is not None:
            self._on_close(self.end.value if self.end is not None else reason)
            self._on_close = None


def _everything(_: str) -> bool:
    return True
