"""A TCP proxy between a replica and Redis, in the test's event loop: cut, swallow, delay, strand, send elsewhere."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65_536


class _Link:
    """One client, and its connection upstream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.upstream: asyncio.StreamWriter | None = None
        self.replies: asyncio.Task[None] | None = None

    def close(self) -> None:
        for writer in (self.writer, self.upstream):
            if writer is not None:
                writer.transport.abort()
        if self.replies is not None:
            self.replies.cancel()


class Proxy:
    """`async with Proxy.open("redis://…") as proxy:` and clients use `proxy.url`. Faults hold until `restore`."""

    def __init__(self, upstream_url: str) -> None:
        self._upstream_url = upstream_url
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._is_cut = False
        self._swallows_requests = False
        self._swallows_replies = False
        self._delay_seconds = 0.0
        self._repeats = 0
        self._to_strand: list[bytes] = []
        self._to_answer_by_reset: list[bytes] = []
        self._stranded: list[bytes] = []
        self._replies_flow = asyncio.Event()
        self._replies_flow.set()
        self.dropped = asyncio.Event()
        """Set when bytes have been swallowed."""

    @classmethod
    @asynccontextmanager
    async def open(cls, upstream_url: str) -> AsyncIterator[Self]:
        proxy = cls(upstream_url)
        proxy._server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        try:
            yield proxy
        finally:
            proxy._server.close()
            proxy.cut()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        parts = urlsplit(self._upstream_url)
        credentials, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))

    def cut(self) -> None:
        """Every connection is reset, and so is every new one."""
        self._is_cut = True
        self._reset()

    def slam(self) -> None:
        """Every connection ends with a RST, at once, as when its host is gone; new ones go through."""
        for link in self._links:
            raw = link.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reset()

    def blackhole(self) -> None:
        """Connections stay open, and nothing goes through them, neither way."""
        self._swallows_requests = self._swallows_replies = True

    def drop_replies(self) -> None:
        """Requests arrive and are carried out; nobody hears of it."""
        self._swallows_replies = True
        self.dropped.clear()

    def delay(self, seconds: float) -> None:
        """Every reply comes so much later."""
        self._delay_seconds = seconds

    def hold_replies(self) -> None:
        """Replies are kept back until `restore`, which lets them go, late."""
        self._replies_flow.clear()

    def repeat_reply(self) -> None:
        """The next reply comes twice: from then on its connection is out of step."""
        self._repeats = 1

    def strand(self, part: bytes) -> None:
        """The next request that has this in it stays on its way until `deliver`; its client's connection is reset."""
        self._to_strand.append(part)

    def lose_reply(self, part: bytes) -> None:
        """The next request that has this in it is carried out; its client's connection is reset in place of a reply."""
        self._to_answer_by_reset.append(part)

    async def deliver(self) -> None:
        """What was stranded first arrives, and is carried out. To the server no connection differs from another."""
        await self._carry_out(self._stranded.pop(0))

    def restore(self) -> None:
        """No more faults. What was swallowed is lost: connections that lost something are reset."""
        if self._swallows_requests or self._swallows_replies:
            self._reset()
        self._is_cut = self._swallows_requests = self._swallows_replies = False
        self._delay_seconds, self._repeats = 0.0, 0
        self._replies_flow.set()

    def point_to(self, upstream_url: str) -> None:
        """The address has moved: old connections are reset, new ones go to another server."""
        self._upstream_url = upstream_url
        self._reset()

    async def move_to(self, upstream_url: str) -> None:
        """Another server answers on connections that stay open, as behind a proxy that pools."""
        self._upstream_url = upstream_url
        for link in list(self._links):
            if link.replies is not None:
                link.replies.cancel()
            if link.upstream is not None:
                link.upstream.transport.abort()
            await self._connect(link)

    def _reset(self) -> None:
        for link in list(self._links):
            link.close()
        self._links.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(reader, writer)
        if self._is_cut:
            link.close()
            return
        self._links.add(link)
        try:
            await self._connect(link)
            await self._carry(reader, self._send_request, link)
        except OSError:
            pass
        finally:
            link.close()
            self._links.discard(link)

    async def _connect(self, link: _Link) -> None:
        address = urlsplit(self._upstream_url)
        reader, link.upstream = await asyncio.open_connection(address.hostname, address.port)
        link.replies = asyncio.create_task(self._replies(reader, link, link.upstream))

    async def _replies(self, reader: asyncio.StreamReader, link: _Link, upstream: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await self._carry(reader, self._send_reply, link)
        if link.upstream is upstream:
            link.close()

    async def _carry(
        self, reader: asyncio.StreamReader, send: Callable[[_Link, bytes], Awaitable[None]], link: _Link
    ) -> None:
        while data := await reader.read(_CHUNK):
            await send(link, data)

    async def _send_request(self, link: _Link, data: bytes) -> None:
        if self._swallows_requests:
            self.dropped.set()
            return
        if _met(self._to_strand, data):
            self._stranded.append(data)
            link.close()
            return
        if _met(self._to_answer_by_reset, data):
            await self._carry_out(data)
            link.close()
            return
        assert link.upstream is not None
        link.upstream.write(data)
        await link.upstream.drain()

    async def _carry_out(self, request: bytes) -> None:
        address = urlsplit(self._upstream_url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(request)
        assert await reader.read(_CHUNK), "the server did not answer"
        writer.transport.abort()

    async def _send_reply(self, link: _Link, data: bytes) -> None:
        if self._delay_seconds:
            await asyncio.sleep(self._delay_seconds)
        await self._replies_flow.wait()
        if self._swallows_replies:
            self.dropped.set()
            return
        if self._repeats:
            self._repeats -= 1
            data *= 2
        link.writer.write(data)
        await link.writer.drain()


def _met(parts: list[bytes], data: bytes) -> bool:
    """Whether one of these is in the data; it does not wait for another one then."""
    found = next((part for part in parts if part in data), None)
    if found is not None:
        parts.remove(found)
    return found is not None
