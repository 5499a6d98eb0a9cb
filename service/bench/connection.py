"""One keep-alive connection to the service, with at most one request under way. The driver says what is asked next.

httptools' parser reads the answers; of the headers, three matter here, and of the body nothing does.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from httptools import HttpParserError, HttpResponseParser

from service.bench.requests import Prepared

_ETAG, _CACHE_STATUS, _ASIDE_CACHE = b"etag", b"cache-status", b"aside-cache"
_LENGTHS = frozenset(map(len, (_ETAG, _CACHE_STATUS, _ASIDE_CACHE)))


class Driver(Protocol):
    """Who is told what happens to a connection."""

    def answered(self, connection: Connection, request: Prepared, status: int) -> None:
        """The whole answer is here; the connection is not to be given a request before `free`."""

    def free(self, connection: Connection) -> None:
        """It can take a request."""

    def lost(self, connection: Connection, request: Prepared | None) -> None:
        """It is closed; ``request`` is what was under way."""


class Connection(asyncio.Protocol):
    """Begins closed. ``intended`` is when the request under way was meant to begin, on the driver's clock."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self.request: Prepared | None = None
        self.intended = 0.0
        self.etag = self.cache_status = self.aside_cache = b""

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: Prepared, intended: float) -> None:
        assert self._transport is not None
        self.request, self.intended = request, intended
        self._transport.write(request.data)

    def give_up(self) -> None:
        """Forget the request under way, and close: its answer may still come, and must not be taken for another's."""
        self.request = None
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._parser = cast("asyncio.Transport", transport), HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        if self.request is None or self._parser is None:  # nobody asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the signature is asyncio's)
        self._transport = self._parser = None
        request, self.request = self.request, None
        self._driver.lost(self, request)

    # What the parser tells.

    def on_message_begin(self) -> None:
        self.etag = self.cache_status = self.aside_cache = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) not in _LENGTHS:
            return
        name = name.lower()
        if name == _CACHE_STATUS:
            # Several fields of this name are one list.
            self.cache_status = self.cache_status + b"," + value if self.cache_status else value
        elif name == _ETAG:
            self.etag = value
        elif name == _ASIDE_CACHE:
            self.aside_cache = value

    def on_message_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200 or self.request is None:  # 103 Early Hints: the answer itself is still to come
            return
        is_kept = self._parser.should_keep_alive()
        request, self.request = self.request, None
        self._driver.answered(self, request, status)
        if is_kept:
            self._driver.free(self)
        else:
            self.close()
