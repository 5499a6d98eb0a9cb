"""uvicorn's HTTP protocol, with one thing mended: a client that leaves takes all its pipelined requests with it.

uvicorn tells only the newest request of a connection that nobody waits for its answer. The one under way, if others
are queued behind it, writes to a closed transport; uvloop raises, and the log gets the trace of an error that is none.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PipelinedProtocol(HttpToolsProtocol):
    """Remembers which request is under way."""

    _under_way: Any = None

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        cycle = self._under_way
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)
