"""What the protocol does at moments that no client can choose: over a transport that writes down what it is given."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from service.api.hot_reads import HOT_READS, Exchange
from service.cli.protocol import HotProtocol
from tests.support.polling import turns

REQUEST = b"GET /v1/entities/thing/x HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"content-length: 2\r\n"


class Transport:
    """A real one raises where something is written after its end."""

    def __init__(self) -> None:
        self.written = b""
        self.writes = 0
        self.is_open = True

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 1) if name in {"peername", "sockname"} else None

    def write(self, data: bytes) -> None:
        assert self.is_open, "nobody is there any more"
        self.written += data
        self.writes += 1

    def is_closing(self) -> bool:
        return not self.is_open

    def close(self) -> None:
        self.is_open = False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Begun:
    """Takes every request, and answers when a test says so."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def begin(self, scope: Any, exchange: Exchange) -> bool:
        self.exchanges.append(exchange)
        return True


class Connection:
    """Without ``app`` every request is taken by `begun`."""

    def __init__(self, app: Any = None, protocol: type[HttpToolsProtocol] = HotProtocol) -> None:
        config = uvicorn.Config(
            app or (lambda: None), log_config=None, interface="asgi3", ws="none", proxy_headers=False
        )
        config.load()
        self.begun, self.transport, state = Begun(), Transport(), ServerState()
        lifespan = {} if app else {HOT_READS: self.begun}
        self.protocol = protocol(config, state, lifespan, asyncio.get_running_loop())
        self.protocol.connection_made(self.transport)


@pytest.fixture
async def connection() -> Connection:
    return Connection()


async def test_an_answer_that_comes_after_its_client_left_is_written_nowhere(connection: Connection):
    connection.protocol.data_received(REQUEST)
    connection.transport.close()
    connection.protocol.connection_lost(ConnectionResetError())
    connection.begun.exchanges[0].reply(200, HEAD, b"{}")
    assert connection.transport.written == b""


async def test_of_requests_in_one_go_the_second_begins_when_the_first_is_answered(connection: Connection):
    connection.protocol.data_received(REQUEST * 2)
    assert len(connection.begun.exchanges) == 1
    connection.begun.exchanges[0].reply(200, HEAD, b"{}")
    assert len(connection.begun.exchanges) == 2
    assert connection.transport.written == b"HTTP/1.1 200 OK\r\n" + HEAD + b"\r\n{}"
    connection.begun.exchanges[1].reply(304, b"", b"")
    assert connection.transport.written.endswith(b"{}HTTP/1.1 304 Not Modified\r\n\r\n")


async def test_a_server_that_is_told_to_stop_ends_the_connection_with_the_answer_under_way(connection: Connection):
    connection.protocol.data_received(REQUEST)
    connection.protocol.shutdown()
    assert connection.transport.is_open
    connection.begun.exchanges[0].reply(200, HEAD, b"{}")
    assert connection.transport.written == b"HTTP/1.1 200 OK\r\n" + HEAD + b"connection: close\r\n\r\n{}"
    assert not connection.transport.is_open


def answering(status: int, headers: list[tuple[bytes, bytes]], *bodies: bytes, fails: bool = False) -> Any:
    """An application that sends this, and then perhaps fails."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for place, body in enumerate(bodies):
            more = {"more_body": True} if place < len(bodies) - 1 else {}
            await send({"type": "http.response.body", "body": body, **more})
        if fails:
            raise ZeroDivisionError

    return app


LENGTH = (b"content-length", b"2")
APPS = {
    "whole": answering(200, [LENGTH, (b"x-other", b"caf\xe9\t1")], b"{}"),
    "in pieces": answering(200, [LENGTH], b"{", b"}"),
    "of unknown length": answering(200, [(b"x-other", b"1")], b"{}"),
    "too short": answering(200, [(b"content-length", b"3")], b"{}"),
    "too long": answering(200, [(b"content-length", b"1")], b"{}"),
    "empty": answering(204, [], b""),
    "unmodified": answering(304, [(b"etag", b'"7"')], b""),
    "the last of the connection": answering(200, [LENGTH, (b"Connection", b"close")], b"{}"),
    "with a line break in a header": answering(200, [LENGTH, (b"x-other", b"1\r\nx-more: 2")], b"{}"),
    "with a control character in a header": answering(200, [LENGTH, (b"x-other", b"1\x00")], b"{}"),
    "and then a failure": answering(200, [LENGTH], b"{}", fails=True),
    "a failure after the head": answering(200, [LENGTH], fails=True),
    "a head and nothing else": answering(200, [LENGTH]),
    "a body without a head": answering(200, [], b"{}", b"{}"),
}
REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "close": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
async def test_what_an_application_sends_is_written_as_uvicorn_writes_it(app: Any, request_: bytes):
    """But for when: the head of an answer that never gets a body is not written at all."""
    ours, theirs = Connection(app), Connection(app, HttpToolsProtocol)
    for connection in (ours, theirs):
        connection.protocol.data_received(request_)
        await turns(20)
    was_cut_off = theirs.transport.written.endswith(b"\r\n\r\n") and b"content-length: 2" in theirs.transport.written
    if not (was_cut_off and request_ != REQUESTS["HEAD"]):
        assert ours.transport.written == theirs.transport.written
    assert ours.transport.is_open == theirs.transport.is_open


@pytest.mark.parametrize("app", [None, APPS["whole"], APPS["in pieces"]], ids=["begun", "whole", "in pieces"])
async def test_what_an_answered_request_leaves_behind_needs_no_collector(app: Any):
    connection = Connection(app)
    gc.disable()
    try:
        seen = []
        for number in range(3):
            connection.protocol.data_received(REQUEST)
            if app is None:
                connection.begun.exchanges.pop().reply(200, HEAD, b"{}")
            await turns(20)
            seen.append(weakref.ref(connection.protocol.cycle))
            assert connection.transport.writes > number
        assert [ref() is None for ref in seen] == [True, True, False]
        protocol = weakref.ref(connection.protocol)
        connection.protocol.connection_lost(None)
        del connection.protocol
        await turns(2)
        assert protocol() is None
    finally:
        gc.enable()


async def test_a_whole_answer_is_one_write():
    connection = Connection(APPS["whole"])
    connection.protocol.data_received(REQUESTS["GET"])
    await turns(20)
    assert connection.transport.written.endswith(b"\r\n\r\n{}")
    assert connection.transport.writes == 1


async def test_to_a_client_that_reads_slowly_an_answer_is_written_when_it_has_read():
    connection = Connection(APPS["whole"])
    connection.protocol.pause_writing()
    connection.protocol.data_received(REQUESTS["GET"])
    await turns(20)
    assert connection.transport.written == b""
    connection.protocol.resume_writing()
    await turns(20)
    assert connection.transport.written.endswith(b"\r\n\r\n{}")
