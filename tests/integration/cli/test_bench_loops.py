"""`bench` against servers that misbehave on purpose: which latencies it tells, and what it calls an error."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.bench_process import bench, slower_than
from tests.support.stand_in_server import BREAK_OFF, OK, always_ok, stand_in_server

CONNECTIONS = 8
PATH = ("--path", "/x", "--json", "--connections", str(CONNECTIONS))


class Stall:
    """Answers at once, but for one moment in which nobody is answered; ``held`` were asking then."""

    def __init__(self, *, at_request: int, seconds: float) -> None:
        self._at_request, self._seconds = at_request, seconds
        self._over = asyncio.Event()
        self._over.set()
        self.held = 0

    async def reply(self, number: int, _: bytes) -> bytes:
        if number == self._at_request:
            self._over.clear()
            asyncio.get_running_loop().call_later(self._seconds, self._over.set)
        if not self._over.is_set():
            self.held += 1
            await self._over.wait()
        return OK


async def test_in_an_open_loop_a_stall_shows_in_all_whom_it_concerned() -> None:
    """
    schedule: … 100 101 102 103 … 249 250 …    meant to begin
    server:   … 100 | stalls for 1.5 s | …     eight connections wait, the others for a connection
    """
    stall = Stall(at_request=100, seconds=1.5)
    async with stand_in_server(stall.reply) as server:
        ended = await bench(server.url, *PATH, "--duration", "3", "--rate", "200")
        assert server.requests - 1 == ended.figures["requests"] == 600  # one asked whether anybody is there
    assert stall.held <= CONNECTIONS
    # Of the 300 of this time, those meant for its first half waited longer than half of it.
    assert slower_than(ended.figures, 700) > 15 * CONNECTIONS
    assert ended.figures["late"]["count"] <= 600


async def test_in_a_closed_loop_a_stall_shows_only_in_as_many_as_there_are_connections() -> None:
    stall = Stall(at_request=100, seconds=1.5)
    async with stand_in_server(stall.reply) as server:
        ended = await bench(server.url, *PATH, "--duration", "3")
    assert ended.figures["late"] is None
    assert ended.figures["requests"] > 600
    assert 0 < slower_than(ended.figures, 700) <= stall.held <= CONNECTIONS


async def test_connections_that_break_off_are_counted_and_opened_again() -> None:
    async def reply(number: int, _: bytes) -> bytes:
        return BREAK_OFF if number % 10 == 0 else OK

    async with stand_in_server(reply) as server:
        ended = await bench(server.url, *PATH, "--duration", "3", "--rate", "100")
        asked = server.requests
    assert ended.exit_code == 3
    assert ended.figures["failures"] == {"broken": asked // 10}
    assert ended.figures["errors"] == asked // 10
    assert ended.figures["statuses"] == {"200": asked - asked // 10 - 1}
    assert sum(count for _, count in ended.figures["histogram"]) == ended.figures["requests"] - asked // 10


async def test_as_many_errors_as_are_allowed_are_no_failure() -> None:
    async def reply(number: int, _: bytes) -> bytes:
        return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" if number == 20 else OK

    for allowed, exit_code in (("1", 0), ("0", 3)):
        async with stand_in_server(reply) as server:
            ended = await bench(server.url, *PATH, "--duration", "0.5", "--rate", "100", "--max-errors", allowed)
        assert (ended.exit_code, ended.figures["failures"]) == (exit_code, {"status": 1})
        assert ended.figures["statuses"] == {"200": 49, "503": 1}


@pytest.mark.parametrize("rate", [(), ("--rate", "50")], ids=["closed", "open"])
async def test_a_request_that_is_not_answered_in_time_is_an_error_that_took_all_its_time(rate: tuple[str, ...]) -> None:
    async def reply(number: int, _: bytes) -> bytes:
        if number == 20:
            await asyncio.Event().wait()
        return OK

    async with stand_in_server(reply) as server:
        ended = await bench(server.url, *PATH, "--duration", "1", "--timeout", "2", *rate)
    assert ended.figures["failures"] == {"timeout": 1}
    assert ended.figures["latency_ms"]["max"] >= 2000


async def test_an_answer_that_closes_its_connection_is_no_error() -> None:
    async def reply(_: int, __: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

    async with stand_in_server(reply) as server:
        ended = await bench(server.url, *PATH, "--duration", "0.5")
        assert ended.figures["errors"] == 0
        assert ended.figures["requests"] > CONNECTIONS
        assert server.connections > ended.figures["requests"]


async def test_answers_in_chunks_and_early_hints_are_understood() -> None:
    async def reply(_: int, __: bytes) -> bytes:
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCACHE-STATUS: edge; hit\r\n\r\n"
        return hints + head + b"2\r\nok\r\n0\r\n\r\n"

    async with stand_in_server(reply) as server:
        ended = await bench(server.url, *PATH, "--duration", "1", "--rate", "100")
    assert ended.figures["statuses"] == {"200": 100}
    assert ended.figures["outcomes"] == {"hit": 100}


async def test_several_processes_share_the_rate_and_the_connections() -> None:
    async with stand_in_server(always_ok) as server:
        ended = await bench(server.url, *PATH, "--duration", "1", "--rate", "200", "--processes", "3")
        assert ended.figures["requests"] == server.requests - 1 == 200
        assert server.connections == CONNECTIONS + 1


async def test_what_is_asked_for_while_warming_up_does_not_count() -> None:
    async with stand_in_server(always_ok) as server:
        ended = await bench(server.url, *PATH, "--duration", "1", "--warmup", "1", "--rate", "100")
        assert server.requests == 201
        assert ended.figures["requests"] == 100


async def test_a_refused_option_sends_nothing() -> None:
    async with stand_in_server(always_ok) as server:
        ended = await bench(server.url, "--mix", "deletes=1")
        assert (ended.exit_code, server.requests, ended.stdout) == (2, 0, "")
    assert "aside: --mix: 'deletes' is none of reads" in ended.stderr


@pytest.mark.parametrize("what", [(), ("--path", "/x"), ("--parameters",)], ids=["seeded", "path", "parameters"])
async def test_where_nobody_answers_it_says_so_in_one_sentence(what: tuple[str, ...]) -> None:
    ended = await bench("http://127.0.0.1:1", "--json", *what)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("aside: nobody answers at http://127.0.0.1:1: ")
    assert len(ended.stderr.splitlines()) == 1


async def test_a_service_that_is_no_aside_is_told_apart() -> None:
    async def reply(_: int, __: bytes) -> bytes:
        return b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    async with stand_in_server(reply) as server:
        ended = await bench(server.url, "--seed-entities", "1")
    assert ended.exit_code == 1
    assert "answers 404 to PUT /v1/entities/bench/" in ended.stderr
    assert "--path /what/to/load" in ended.stderr
