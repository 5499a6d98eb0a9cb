"""uvicorn's HTTP protocol, with bounds on what a client may cost by being slow, large, or many.

uvicorn waits for ever for a head, a body, or a client that does not read, and keeps headers of any size. Here each
connection has one timer, which looks at the phase it is in; uvicorn's own, set and taken back for each request, is left
out. A client is found slow at two looks: after a moment in which this process stood still, its bytes may be waiting.

    client: head, half                    the rest, on time
    us:               (stopped for 20 s)               timer first: looks again   reads the rest
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.bare_problems import bare_problem
from service.api.problem_kinds import HEAD_TOO_LARGE, MALFORMED_REQUEST, REQUEST_TIMEOUT, ProblemKind
from service.cli.connection_limits import ConnectionLimits, Phase, is_long_head

_SECOND_LOOK_SECONDS = 0.1
SPARE_CONNECTIONS = 100
"""So many above the limit are still listened to: probes of an orchestrator open one of their own each time."""
_DEFAULT = ConnectionLimits()


class WatchedProtocol(HttpToolsProtocol):
    """One for each connection."""

    _in_head = False
    _message_since = 0.0
    """When the request began that is being received; 0 between requests."""
    _fed = 0
    """Bytes of it, without those that came together with its first."""
    _chunk = 0
    _unread_since = 0.0
    _unread_bytes = 0
    _suspected: tuple[Phase, float] | None = None
    _timer: asyncio.TimerHandle | None = None
    is_surplus = False
    """Whether there were already as many connections as there may be."""

    def __init__(self, *arguments: Any, limits: ConnectionLimits = _DEFAULT, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.limits = limits
        self._idle_since = self.loop.time()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        surplus = len(self.connections) - self.limits.connections
        self.is_surplus = surplus > 0
        if surplus > SPARE_CONNECTIONS:
            transport.abort()
            return
        self._timer = self.loop.call_later(self.limits.shortest_seconds, self._look)

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        self._fed += self._chunk
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _HeadTooLargeError):
                self._refuse_head()
            else:
                self.refuse(MALFORMED_REQUEST, "what was sent is no HTTP request")
            return
        if self._message_since:
            self._check_size()

    def _check_size(self) -> None:
        """Of a request that is not complete: of what the parser holds back too, of chunks' extensions, of trailers."""
        if self._in_head or len(self.headers) > self.limits.header_count:
            if self._fed > self.limits.head_bytes or len(self.headers) > self.limits.header_count:
                self._refuse_head()
        elif self._fed > self.limits.message_bytes:
            self.transport.close()  # the body was refused long ago, or is hardly anything but chunk headers

    def _refuse_head(self) -> None:
        limits = self.limits
        detail = f"the head of a request may have {limits.head_bytes} bytes and {limits.header_count} headers"
        self.refuse(HEAD_TOO_LARGE, detail)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._fed = 0
        self._message_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = False
        limits = self.limits
        if (self._fed + self._chunk > limits.head_bytes or len(self.headers) > limits.header_count) and is_long_head(
            self.url, self.headers, limits
        ):
            raise _HeadTooLargeError
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._message_since = 0.0

    def on_response_complete(self) -> None:
        """As uvicorn does, but for the timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._idle_since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._note_unread()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def refuse(self, kind: ProblemKind, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer the request that is being received, unless an earlier one waits for its answer, and end it all."""
        transport = self.transport
        if transport.is_closing():
            return
        cycle: Any = self.cycle
        is_its_turn = cycle is None or cycle.response_complete
        if cycle is not None and not is_its_turn:
            is_its_turn = cycle.scope is self.scope and not cycle.response_started and not self.pipeline
            cycle.disconnected = True  # it will not be answered twice
            cycle.message_event.set()
        if is_its_turn:
            head, body = bare_problem(kind, detail=detail, path=_path(self.url), headers=headers)
            default = b"".join([b"%b: %b\r\n" % header for header in self.server_state.default_headers])
            ending = b"connection: close\r\n\r\n"
            transport.write(b"".join((STATUS_LINE[kind.status], default, head, ending, body)))
        transport.close()

    def _phase(self) -> tuple[Phase, float]:
        if self.flow.write_paused or self.transport.is_closing():
            return Phase.UNREAD, self._unread_since
        if self._message_since and not self.flow.read_paused:
            return (Phase.HEAD if self._in_head else Phase.BODY), self._message_since
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            return Phase.WORK, 0.0
        return Phase.IDLE, self._idle_since

    def _look(self) -> None:
        if self.transport.is_closing() and not self._unread_since:
            self._note_unread()  # what was written before the end may still be unread
        phase, since = self._phase()
        limit, wait = self.limits.seconds_in(phase), self.limits.shortest_seconds
        if limit is not None:
            left = since + limit - self.loop.time()
            if left > 0:
                wait = min(left, wait)
            elif self._suspected == (phase, since):
                self._give_up(phase)
            else:
                self._suspected = phase, since
                wait = min(wait, _SECOND_LOOK_SECONDS)
        if self.parser is not None:  # otherwise the connection is lost
            self._timer = self.loop.call_later(wait, self._look)

    def _give_up(self, phase: Phase) -> None:
        match phase:
            case Phase.IDLE:
                self.transport.close()
            case Phase.HEAD | Phase.BODY:
                self.refuse(REQUEST_TIMEOUT, f"the {phase.value} of the request did not arrive in time")
            case Phase.UNREAD if not self._reads():
                self.transport.abort()
            case _:
                self._note_unread()

    def _reads(self) -> bool:
        """Whether a client that is not done has at least taken as much as is worth waiting for."""
        if self.transport.is_closing():
            return False
        return self._unread_bytes - self.transport.get_write_buffer_size() >= HIGH_WATER_LIMIT

    def _note_unread(self) -> None:
        self._unread_since = self.loop.time()
        self._unread_bytes = self.transport.get_write_buffer_size()


class _HeadTooLargeError(Exception):
    """Raised out of the parser's callback, which stops it."""


def _path(url: bytes) -> str:
    """As it was sent, without the query, which may hold anything. Only what is safe to repeat."""
    path = url.partition(b"?")[0]
    return path.decode("ascii") if path.startswith(b"/") and path.isascii() and len(path) < 1_024 else ""
