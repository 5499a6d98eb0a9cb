"""uvicorn's HTTP protocol, with a shorter way for the hot reads, whole answers in one write, and one thing mended.

A hit is answered without a task: parsed by uvicorn, read through `HotReads.begin`, written here. Whatever is no hot
read goes uvicorn's way; if its answer is whole, the two messages of ASGI are one write as well, where uvicorn makes
two. One connection has one answer under way, whichever way it takes.

Mended: uvicorn tells only the newest request of a connection that nobody waits for its answer. The one under way, if
others are queued behind it, writes to a closed transport; uvloop raises, and the log gets an error that is none.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.api.door import Hot
from service.api.hot_reads import HOT_READS
from service.api.problem_kinds import OVERLOADED
from service.api.work import CONNECTION, HEALTH_PATHS, RETRY_SOON, SHED
from service.cli.watched_protocol import WatchedProtocol


class HotProtocol(WatchedProtocol):
    """One for each connection."""

    _under_way: Any = None
    _hot_reads: Hot | None = None
    _rendered_headers: Any = None
    _rendered = b""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._hot_reads = self.app_state.get(HOT_READS)
        self._shed = self.app_state.get(SHED, _nothing)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._under_way = cycle
        if self.is_surplus and cycle.scope["path"] not in HEALTH_PATHS:
            self._shed(CONNECTION)
            self.refuse(OVERLOADED, "there are as many connections as there may be", RETRY_SOON)
            return
        # What was not read yet by a slow client must not grow: where writing is paused, uvicorn's way waits.
        hot_reads = None if app is not self.app or self.flow.write_paused else self._hot_reads
        if hot_reads is None or not hot_reads.begin(cycle.scope, _Exchange(self, cycle)):
            self.start_task(cycle, app)

    def start_task(self, cycle: Any, app: Any) -> None:
        """Uvicorn's way."""

        async def in_one_write(scope: Any, receive: Any, send: Any) -> None:
            # Not `cycle.send = …`: nothing may point back to what points to it, or both wait for the collector.
            await app(scope, receive, _Sender(self, cycle, send).send)

        super()._start_asgi_task(cycle, in_one_write)

    def write_whole(self, cycle: Any, status: int, head: bytes, body: bytes) -> None:
        """What `cycle.send` does with the two messages of an answer that is complete, of a known length."""
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        ending = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], self.default_head(), head, ending, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response = _nothing  # or cycle and protocol would keep each other until the collector comes
        self.on_response_complete()

    def default_head(self) -> bytes:
        """The headers of every answer, the date among them: uvicorn makes a new list of them once a second."""
        headers = self.server_state.default_headers
        if headers is not self._rendered_headers:
            self._rendered_headers = headers
            self._rendered = b"".join([b"%b: %b\r\n" % header for header in headers])
        return self._rendered

    def connection_lost(self, exc: Exception | None) -> None:
        cycle = self._under_way
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)


class _Exchange:
    """See `service.api.hot_reads.Exchange`."""

    __slots__ = ("_cycle", "_protocol")

    def __init__(self, protocol: HotProtocol, cycle: Any) -> None:
        self._protocol = protocol
        self._cycle = cycle

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        self._protocol.write_whole(self._cycle, status, head, body)

    def run(self, rest: Coroutine[Any, Any, None]) -> None:
        protocol = self._protocol
        task = protocol.loop.create_task(rest)
        task.add_done_callback(protocol.tasks.discard)
        protocol.tasks.add(task)

    def pass_on(self) -> None:
        self._protocol.start_task(self._cycle, self._protocol.app)


def _nothing(_: str = "") -> None:
    pass


class _Sender:
    """Holds the head of an answer back until its body comes. ``send`` is uvicorn's own, for all that is not whole."""

    __slots__ = ("_cycle", "_protocol", "_send", "_start")

    def __init__(self, protocol: HotProtocol, cycle: Any, send: Any) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._send = send
        self._start: Any = None

    async def send(self, message: Any) -> None:
        cycle = self._cycle
        is_head = message["type"] == "http.response.start"
        if is_head and not cycle.response_started and cycle.scope["method"] != "HEAD":
            self._start = message
            cycle.response_started = True  # an application that fails now has answered, as far as uvicorn is concerned
            return
        start, self._start = self._start, None
        if start is None:
            await self._send(message)
            return
        head = None if message.get("more_body") or self._protocol.flow.write_paused else _head(start, message)
        if head is not None:
            self._protocol.write_whole(cycle, start["status"], head, message["body"])
            return
        cycle.response_started = False
        await self._send(start)
        await self._send(message)


def _head(start: Any, message: Any) -> bytes | None:
    """The header lines of an answer with all of its body; None where uvicorn has something to add, or to refuse."""
    headers, body = start["headers"], message.get("body", b"")
    if message["type"] != "http.response.body" or (b"content-length", b"%d" % len(body)) not in headers:
        return None
    if not _STEERING.isdisjoint([name.lower() for name, _ in headers]):
        return None
    head = b"".join([b"%b: %b\r\n" % header for header in headers])
    lines = len(headers)
    if head.count(b"\n") != lines or head.count(b"\r") != lines or _FORBIDDEN.search(head):
        return None
    return head


_STEERING = frozenset((b"connection", b"transfer-encoding"))
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
