"""One HTTP/1.1 connection, by hand: requests may be pipelined, and it can be ended at any moment, in either way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit


class Reply(NamedTuple):
    status: int
    version: int
    """Out of the ETag; 0 where there is none."""
    body: bytes


class GoneError(Exception):
    """The connection ended before the answer was complete."""


class Wire(asyncio.Protocol):
    """Answers belong to requests in the order in which those were sent: that is all that HTTP/1.1 has."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self.is_open = False

    @classmethod
    async def open(cls, url: str) -> Self:
        address = urlsplit(url)
        _, wire = await asyncio.get_running_loop().create_connection(cls, address.hostname, address.port)
        return wire

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            if not future.done():
                future.set_exception(GoneError())
                future.exception()  # whoever ended the connection does not ask

    @property
    def unanswered(self) -> int:
        return len(self._waiting)

    def send(self, *requests: bytes) -> list[asyncio.Future[Reply]]:
        futures: list[asyncio.Future[Reply]] = [self._loop.create_future() for _ in requests]
        if self._transport is None or not self.is_open:
            raise GoneError
        self._waiting.extend(futures)
        self._transport.write(b"".join(requests))
        return futures

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (reply := self._next()) is not None:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(reply)

    def _next(self) -> Reply | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = self._buffer[:end].split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        after = end + 4 + int(headers.get(b"content-length", b"0"))
        if len(self._buffer) < after:
            return None
        body, self._buffer = self._buffer[end + 4 : after], self._buffer[after:]
        return Reply(int(lines[0].split(b" ")[1]), int(headers.get(b"etag", b"0").strip(b'"')), body)

    def reset(self) -> None:
        """RST: as a client that crashed, or whose machine is gone."""
        if self._transport is not None and self.is_open:
            connection = cast(Any, self._transport.get_extra_info("socket"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
            self.is_open = False

    def close(self) -> None:
        """FIN: as a client that is no longer interested."""
        if self._transport is not None and self.is_open:
            self._transport.close()
            self.is_open = False


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: storm\r\n\r\n".encode()


def put(path: str, body: bytes) -> bytes:
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: storm\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
