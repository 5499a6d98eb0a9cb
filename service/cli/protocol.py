"""uvicorn's HTTP protocol, with a shorter way for hits, and one thing mended.

A hit is answered without a task and in one write: parsed by uvicorn, read through `HotReads.begin`, written here.
Whatever is not a hit goes uvicorn's way. One connection has one answer under way, whichever way it takes.

Mended: uvicorn tells only the newest request of a connection that nobody waits for its answer. The one under way, if
others are queued behind it, writes to a closed transport; uvloop raises, and the log gets an error that is none.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.hot_reads import HOT_READS, HotReads


class HotProtocol(HttpToolsProtocol):
    """One for each connection."""

    _under_way: Any = None
    _hot_reads: HotReads | None = None
    _rendered_headers: Any = None
    _rendered = b""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._hot_reads = self.app_state.get(HOT_READS)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._under_way = cycle
        if self._hot_reads is not None and app is self.app and not self.flow.write_paused:
            reply, go_on = partial(self._reply, cycle), partial(self._go_on, cycle, app)
            if self._hot_reads.begin(cycle.scope, reply, go_on):
                return
        super()._start_asgi_task(cycle, app)

    def _go_on(self, cycle: Any, app: Any) -> None:
        super()._start_asgi_task(cycle, app)

    def _reply(self, cycle: Any, status: int, head: bytes, body: bytes) -> None:
        """What `cycle.send` does with the two messages of an answer that is complete, of a known length."""
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        ending = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], self._default_head(), head, ending, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _default_head(self) -> bytes:
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
