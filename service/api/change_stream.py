"""The feed of changes as server-sent events: `id` is the cursor behind the event, so a client goes on where it was.

A heartbeat is a comment, and moves the cursor on too: a client of a type that hardly changes is not left behind what is
kept. Whether the key is still good is asked before anything is told, and at every look.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable

from fastapi import Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from service.api.guarding import readmitted
from service.api.middleware import IS_STREAM
from service.api.problem_kinds import kind_of_error
from service.api.problems import problem_members
from service.domain.feed import Stretch, newest_of_each
from service.domain.feed_cursor import encode_cursor
from service.errors import CursorGoneError, RevocationsUnknownError, UnauthenticatedError
from service.services.access import Principal
from service.services.feed import Feed, Stream
from service.services.followers import End

Wants = Callable[[str], bool]
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class ChangeStream(EventSourceResponse):
    """Until either side ends it, or for ``seconds``. ``wants_of`` says which types a key is told of; None: all."""

    def __init__(
        self, request: Request, stream: Stream, feed: Feed, wants_of: Callable[[Principal | None], Wants | None], *,
        seconds: float | None,
    ) -> None:  # fmt: skip
        super().__init__(self._events(), headers=_HEADERS)
        self._request = request
        self._stream = stream
        self._wants_of = wants_of
        self._heartbeat_seconds = feed.heartbeat_seconds
        self._look_seconds = min(feed.look_seconds, feed.heartbeat_seconds, seconds or feed.look_seconds)
        self._ends_at = None if seconds is None else time.monotonic() + seconds
        self._reason = "client"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Here, and not in the iterator, it is closed: one that was never asked for its first item has no end."""
        scope[IS_STREAM] = True
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close(self._reason)

    async def _events(self) -> AsyncIterator[bytes]:
        stretch, silent_since = None, 0.0
        async for step in self._stream.steps(self._look_seconds):
            told = self._told(step)
            if told is None:
                return
            now, stretch = time.monotonic(), step or stretch
            if not told and now - silent_since >= self._heartbeat_seconds and stretch is not None:
                told = format_sse_event(comment=self._stream.words or "alive", id=encode_cursor(stretch.end))
            if told:
                silent_since = now
                yield told
            if self._ends_at is not None and now >= self._ends_at:
                self._reason = "time"
                return
        if self._stream.end is End.GONE:
            yield self._farewell()

    def _told(self, stretch: Stretch | None) -> bytes | None:
        """Its events, as far as they are for this client; None where there is nothing more for it."""
        try:
            wants = self._wants_of(readmitted(self._request))
        except UnauthenticatedError:
            self._reason = "key"
            return None
        except RevocationsUnknownError:
            # Nothing is told meanwhile, but that nothing is; what was to be told now is told to whoever comes again.
            if stretch is None or not stretch.changes:
                return b""
            self._reason = "key"
            return None
        if stretch is None:
            return b""
        return b"".join(event for of, event in _rendered(stretch) if wants is None or wants(of))

    def _farewell(self) -> bytes:
        kind = kind_of_error(CursorGoneError(""))
        path = self._request.url.path
        problem = problem_members(self._request, kind, detail=self._stream.words, instance=path)
        return format_sse_event(event="gone", data_str=json.dumps(problem))


def _rendered(stretch: Stretch) -> list[tuple[str, bytes]]:
    """Types, and their events: the same for all streams."""
    if stretch.rendered is None:
        stretch.rendered = [
            (
                change.entity_type,
                format_sse_event(
                    event="change", data_str=json.dumps(change.as_told), id=encode_cursor(stretch.after(change))
                ),
            )
            for change in newest_of_each(stretch.changes)
        ]
    return stretch.rendered
