"""A proxied link between one replica and one server, lean enough for heavy traffic, with everything that breaks a link.

Protocols and transports only: a chunk costs two calls. What has been bent (delayed, throttled) goes through a queue,
and what follows it waits behind it, so that no order changes.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import Any

_RESET = struct.pack("ii", 1, 0)
_LOOK_SECONDS = 0.05
_SSL, _CANCEL = struct.pack(">ii", 8, 80877103), struct.pack(">ii", 16, 80877102)
"""What a connection to PostgreSQL may say before, or instead of, beginning a session: a question about TLS, and the
request to cancel another one's statement, which asyncpg sends over a connection of its own."""

_BENT = {
    "blackhole": ("swallows_requests", "swallows_replies"),
    "mute": ("swallows_replies",),  # requests arrive and are carried out; nobody hears of it
    "stall": ("is_stalled",),  # nothing goes through; all of it comes late, at the end
    "delay": (),  # delay_seconds
    "throttle": (),  # bytes_per_second
    "tear": (),  # tear_chance: now and then a reply ends in its middle, and with it the connection
}


class Half(asyncio.Protocol):
    """One of the two sockets of a connection."""

    def __init__(self, pair: Pair, *, is_reply: bool) -> None:
        self.pair = pair
        self.is_reply = is_reply
        self.other: Half | None = None
        self.transport: asyncio.Transport | None = None
        self._queue: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's have no common base with asyncio's

    def data_received(self, data: bytes) -> None:
        link, other = self.pair.link, self.other
        if other is None or other.transport is None:
            self._early.append(data)  # uvloop reads although it was told not to, until there is someone to tell
            return
        if not link.is_bent and not self._queue:
            other.write(data)
            return
        if link.swallows_replies if self.is_reply else link.swallows_requests:
            self.pair.has_lost_bytes = True
            return
        if self.is_reply and link.tear_chance and link.random.random() < link.tear_chance:
            other.write(data[: len(data) // 2])
            link.torn += 1
            self.pair.loop.call_later(0.001, self.pair.end)  # once the first half is out
            self.pair.has_lost_bytes = True
            link.doomed.add(self.pair)
            return
        if self.pair in link.doomed:
            return
        self._later(data, link)

    def _later(self, data: bytes, link: Link) -> None:
        now = self.pair.loop.time()
        due = now + link.delay_seconds
        if link.bytes_per_second:
            due = max(due, self._queue[-1][0] if self._queue else now) + len(data) / link.bytes_per_second
        if self._queue:
            due = max(due, self._queue[-1][0])
        self._queue.append((due, data))
        if self._timer is None:
            self._timer = self.pair.loop.call_at(due, self._forward)

    def _forward(self) -> None:
        self._timer = None
        now = self.pair.loop.time() + 0.0005
        if self.pair.link.is_stalled:
            return
        while self._queue and self._queue[0][0] <= now:
            _, data = self._queue.popleft()
            if self.other is not None:
                self.other.write(data)
        if self._queue:
            self._timer = self.pair.loop.call_at(self._queue[0][0], self._forward)

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            with suppress(RuntimeError):  # uvloop's word for a connection whose loss is about to be told
                self.transport.write(data)

    def join(self, other: Half) -> None:
        self.other = other
        for data in self._early:
            Half.data_received(self, data)

    def flow(self) -> None:
        """Let go what was held."""
        if self._queue and self._timer is None:
            self._forward()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.pair.end()


class Pair:
    """A client's connection, and the one upstream that is made for it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.loop = asyncio.get_running_loop()
        self.has_lost_bytes = False
        self.is_over = False
        self.is_session = False
        """True from its first word on, where that is no question about TLS and no request to cancel."""
        self.near = Near(self, is_reply=False)
        self.far: Half | None = None

    async def open(self) -> None:
        far = Half(self, is_reply=True)
        try:
            await self.loop.create_connection(
                lambda: far, *self.link.upstream, local_addr=(self.link.local_host, 0) if self.link.local_host else None
            )
        except OSError:
            self.end()
            return
        self.far = far
        if self.is_over:
            self.end()
            return
        far.join(self.near)
        self.near.join(far)
        assert self.near.transport is not None
        self.near.transport.resume_reading()

    def end(self) -> None:
        """Reset both ends."""
        self.is_over = True
        self.link.pairs.discard(self)
        self.link.doomed.discard(self)
        for half in (self.near, self.far):
            if half is not None and half.transport is not None:
                raw: socket.socket | None = half.transport.get_extra_info("socket")
                if raw is not None and not half.transport.is_closing():
                    with suppress(OSError):
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                half.transport.abort()


class Near(Half):
    """The client's side."""

    def data_received(self, data: bytes) -> None:
        if not self.pair.is_session:
            if data.startswith(_CANCEL):
                self.pair.link.cancels += 1
            elif not data.startswith(_SSL):
                self.pair.is_session = True
        super().data_received(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        pair, link = self.pair, self.pair.link
        if link.is_cut:
            pair.end()
            return
        link.pairs.add(pair)
        assert self.transport is not None
        self.transport.pause_reading()
        task = pair.loop.create_task(pair.open())
        link.tasks.add(task)
        task.add_done_callback(link.tasks.discard)


class Link:
    """Listens for one replica. ``local_host`` is the address under which the server sees it: one for each replica."""

    def __init__(self, upstream: tuple[str, int], *, local_host: str = "", seed: int = 0) -> None:
        self.upstream = upstream
        self.local_host = local_host
        self.pairs: set[Pair] = set()
        self.doomed: set[Pair] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.most_open = 0
        """The most sessions that were open for 0.2 s: at four looks in a row. A replica that replaces a connection
        may have the new one for a turn of its loop before the old one is closed.
        """
        self.cancels = 0
        """Connections that only asked PostgreSQL to cancel a statement."""
        self._looks: deque[int] = deque(maxlen=4)
        self.torn = 0
        self.latest = 0.0
        """Seconds; the most that this loop was late."""
        self.random = random.Random(seed)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._straighten()

    def _straighten(self) -> None:
        self.is_cut = self.is_bent = self.is_stalled = False
        self.swallows_requests = self.swallows_replies = False
        self.delay_seconds = self.tear_chance = 0.0
        self.bytes_per_second = 0.0

    async def listen(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Pair(self).near, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._look(loop, loop.time())

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.latest = max(self.latest, loop.time() - due)
        self._looks.append(self.sessions)
        self.most_open = max(self.most_open, min(self._looks))
        loop.call_later(_LOOK_SECONDS, self._look, loop, loop.time() + _LOOK_SECONDS)

    @property
    def sessions(self) -> int:
        return sum(pair.is_session for pair in self.pairs)

    def do(self, what: str, **how: Any) -> dict[str, Any]:
        """One order; faults hold until `restore`."""
        if what in _BENT:
            self.is_bent = True
            for name in _BENT[what]:
                setattr(self, name, True)
            for name, value in how.items():
                setattr(self, name, value)
        elif what == "point":
            self.upstream = (how["host"], how["port"])
            if how["resets"]:
                self._reset()
        elif what == "cut":
            self.is_cut = True
            self._reset()
        elif what == "reset":
            self._reset()
        elif what == "restore":
            self._restore()
        return {
            "open": len(self.pairs),
            "sessions": self.sessions,
            "most_open": self.most_open,
            "cancels": self.cancels,
            "torn": self.torn,
            "latest": self.latest,
            "port": self.port,
        }

    def _restore(self) -> None:
        for pair in [pair for pair in self.pairs if pair.has_lost_bytes]:
            pair.end()  # out of step
        self._straighten()
        for pair in list(self.pairs):
            pair.near.flow()
            if pair.far is not None:
                pair.far.flow()

    def _reset(self) -> None:
        for pair in list(self.pairs):
            pair.end()
