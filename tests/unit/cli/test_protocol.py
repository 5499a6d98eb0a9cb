"""What the protocol does at moments that no client can choose: over a transport that writes down what it is given."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from service.api.hot_reads import HOT_READS, Exchange
from service.cli.protocol import HotProtocol

REQUEST = b"GET /v1/entities/thing/x HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"content-length: 2\r\n"


class Transport:
    """A real one raises where something is written after its end."""

    def __init__(self) -> None:
        self.written = b""
        self.is_open = True

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 1) if name in {"peername", "sockname"} else None

    def write(self, data: bytes) -> None:
        assert self.is_open, "nobody is there any more"
        self.written += data

    def is_closing(self) -> bool:
        return not self.is_open

    def close(self) -> None:
        self.is_open = False

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
    def __init__(self) -> None:
        config = uvicorn.Config(lambda: None, log_config=None, interface="asgi3", ws="none")
        config.load()
        self.begun, self.transport, state = Begun(), Transport(), ServerState()
        self.protocol = HotProtocol(config, state, {HOT_READS: self.begun}, asyncio.get_running_loop())
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
