"""HTTP/1.1 as a client needs it here: one request at a time on a kept connection, read with a few `find`s.

Some 20 µs for each exchange. Nothing is awaited: the moment at which an answer is whole is the moment it is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_FORWARDED: Final = (
    (b"detail=stale-if-error", "stale"),
    (b"detail=cache-o", "off"),
    (b"detail=cache-unreachable", "off"),
    (b"aside; hit", "hit"),
    (b"fwd=uri-miss", "miss"),
    (b"fwd=stale", "miss"),
    (b"fwd=", "bypass"),
)


class Reply:
    """An answer: its status, its head as bytes, its body."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body

    def header(self, name: bytes) -> bytes | None:
        """``name`` in lower case, as the service sends it."""
        start = self.head.find(b"\r\n" + name + b": ")
        if start < 0:
            return None
        start += len(name) + 4
        end = self.head.find(b"\r\n", start)
        return self.head[start:end] if end >= 0 else self.head[start:]

    @property
    def version(self) -> int:
        """0 where it names none."""
        tag = self.header(b"etag")
        return int(tag[1:-1]) if tag else 0

    @property
    def outcome(self) -> str:
        status = self.header(b"cache-status") or b""
        if status.startswith(b"aside; hit; ttl=") and b"detail" not in status:
            return "hit"
        for word, outcome in _FORWARDED:
            if word in status:
                return outcome
        return ""

    @property
    def cache_seconds(self) -> float:
        """How long it waited for Redis, as the service tells."""
        timing = self.header(b"server-timing") or b""
        if not timing.startswith(b"cache;dur="):
            return 0.0
        return float(timing[10:].partition(b",")[0]) / 1000


class Wire(asyncio.Protocol):
    """One connection. ``on_reply`` and ``on_lost`` belong to the client that uses it."""

    __slots__ = ("_buffer", "_on_lost", "_on_reply", "began", "is_closing", "transport")

    def __init__(self, on_reply: Callable[[Wire, Reply, float], None], on_lost: Callable[[Wire], None]) -> None:
        self._on_reply = on_reply
        self._on_lost = on_lost
        self._buffer = b""
        self.transport: asyncio.Transport | None = None
        self.is_closing = False
        self.began = 0.0
        """When the request under way was written, monotonic seconds; 0 while there is none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's have no common base with asyncio's

    def send(self, request: bytes) -> None:
        assert self.transport is not None
        self.began = time.monotonic()
        with suppress(RuntimeError):  # uvloop's word for a connection whose loss is about to be told
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        reply, rest = parsed(buffer)
        if reply is None:
            self._buffer = buffer
            return
        ended = time.monotonic()
        self._buffer = rest
        if reply.head.find(b"\r\nconnection: close") >= 0:
            self.is_closing = True
        self._on_reply(self, reply, ended)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closing = True
        self._on_lost(self)

    def abort(self) -> None:
        """Away with it, at once, whatever is under way."""
        self.is_closing = True
        if self.transport is not None:
            self.transport.abort()


def parsed(buffer: bytes) -> tuple[Reply | None, bytes]:
    """The first answer, if it is whole, and what follows it."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None, buffer
    head = buffer[:end]
    status = int(head[9:12])
    length = 0
    at = head.find(b"\r\ncontent-length: ")
    if at >= 0 and status not in (204, 304):
        length = int(head[at + 18 : at + 28].partition(b"\r\n")[0])
    if len(buffer) < end + 4 + length:
        return None, buffer
    return Reply(status, head, buffer[end + 4 : end + 4 + length]), buffer[end + 4 + length :]
