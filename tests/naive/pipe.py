"""A quick Redis client for the naive strategies: what is asked in one turn of the loop goes out together.

Not the service's own: the strategies under comparison must not profit from its care. A connection whose oldest reply is
late is given up, with all that waits on it, and opened anew by the next who needs it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from typing import Any, cast
from urllib.parse import urlsplit

import hiredis

TIMEOUT_SECONDS = 0.2
"""As the service's own (`redis.operation_timeout_seconds`)."""
_BACKOFF_SECONDS = 0.05

Argument = bytes | str | int


class RedisAwayError(Exception):
    """No answer: it may, or may not, have been carried out."""


class _Link(asyncio.Protocol):
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = hiredis.Reader()
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.is_open = True

    def send(self, command: tuple[Argument, ...]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((self._loop.time(), future))
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(hiredis.pack_command(command))
        if self._watch is None:
            self._watch = self._loop.call_later(TIMEOUT_SECONDS, self._look)
        return future

    def _flush(self) -> None:
        if self._transport is not None and self.is_open:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        self._parser.feed(data)
        while (reply := self._parser.gets()) is not False:
            _, future = self._waiting.popleft()
            if future.done():
                continue
            if isinstance(reply, hiredis.ReplyError):
                future.set_exception(RedisAwayError(str(reply)))
            else:
                future.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._watch is not None:
            self._watch.cancel()
        waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            if not future.done():
                future.set_exception(RedisAwayError("the connection is gone"))

    def _look(self) -> None:
        """Give up where the oldest reply is late; look again when it would be."""
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0][0] + TIMEOUT_SECONDS - self._loop.time()
        if left <= 0:
            self.close()
        else:
            self._watch = self._loop.call_later(left, self._look)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self.connection_lost(None)


class Pipes:
    """Some connections, used in turn."""

    def __init__(self, url: str, *, count: int = 4) -> None:
        address = urlsplit(url)
        self._address = (address.hostname, address.port)
        self._links: list[_Link | None] = [None] * count
        self._turns = itertools.cycle(range(count))
        self._opening = [asyncio.Lock() for _ in range(count)]
        self._not_before = [0.0] * count

    async def call(self, *command: Argument) -> Any:
        """One command and its reply. Raises RedisAwayError."""
        turn = next(self._turns)
        link = self._links[turn]
        if link is None or not link.is_open:
            link = await self._open(turn)
        return await link.send(command)

    async def _open(self, turn: int) -> _Link:
        loop = asyncio.get_running_loop()
        async with self._opening[turn]:
            link = self._links[turn]
            if link is not None and link.is_open:
                return link
            if loop.time() < self._not_before[turn]:
                raise RedisAwayError("it was away a moment ago")
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    _, link = await loop.create_connection(_Link, *self._address)
            except OSError as error:  # a TimeoutError is one
                self._not_before[turn] = loop.time() + _BACKOFF_SECONDS
                raise RedisAwayError("it cannot be reached") from error
            self._links[turn] = link
            return link

    def close(self) -> None:
        for link in self._links:
            if link is not None:
                link.close()
