"""Clients that cost a server more than they are worth: slow ones, large ones, too many, over real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from service.embedded import Valkey
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command
from tests.support.waiting import eventually, lasting

PATH = "/v1/entities/thing/large"
GET = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
PUT = b"PUT /v1/entities/thing/y HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LIMITS = {
    "ASIDE_LIMITS__HEAD_SECONDS": "0.4",
    "ASIDE_LIMITS__BODY_SECONDS": "0.4",
    "ASIDE_KEEP_ALIVE_SECONDS": "0.4",
    "ASIDE_LIMITS__UNREAD_SECONDS": "0.4",
    "ASIDE_LIMITS__HEAD_BYTES": "4096",
    "ASIDE_LIMITS__HEADER_COUNT": "20",
    "ASIDE_LIMITS__BODY_BYTES": "100000",
    "ASIDE_LIMITS__CONNECTIONS": "12",
}
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(scope="module")
def service(
    module_database_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    command(valkey.url, "FLUSHALL")  # or the heartbeat of another test's database is met, and logged as the error it is
    environment = {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url, **LIMITS}
    process = ServiceProcess(tmp_path_factory.mktemp("slow") / "service.log", environment, is_forked=True).start()
    with httpx.Client(base_url=process.url) as client:
        client.put(PATH, json={"text": "x" * 90_000}).raise_for_status()
    yield process
    assert process.terminate() == 0
    process.kill()
    assert '"level": "error"' not in process.log


@asynccontextmanager
async def connected(service: ServiceProcess) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def get(service: ServiceProcess, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=service.url) as client:
        return await client.get(path)


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Until the server ends the connection, whichever way."""
    received = b""
    try:
        async with asyncio.timeout(10):
            while chunk := await reader.read(65_536):
                received += chunk
    except ConnectionResetError:
        pass
    return received


def problem_of(sent: bytes) -> dict[str, object]:
    head, _, body = sent.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % problem["status"])
    return problem


async def drip(writer: asyncio.StreamWriter, text: bytes) -> None:
    """A byte now and then, for as long as the server takes them."""
    for byte in text:
        if writer.is_closing():
            return
        writer.write(bytes([byte]))
        await lasting(0.02)


async def test_a_head_that_comes_byte_by_byte_is_answered_408(service: ServiceProcess):
    async with connected(service) as (reader, writer):
        dripping = asyncio.create_task(drip(writer, b"GET /livez HTTP/1.1\r\n" + b"X-Slow: 1\r\n" * 15))
        problem = problem_of(await all_of(reader))
        assert (problem["type"], problem["status"]) == ("/problems/request-timeout", 408)
        dripping.cancel()


async def test_a_body_that_comes_byte_by_byte_is_answered_408_and_nothing_is_written(service: ServiceProcess):
    for framing, body in (
        (b"Content-Length: 9000\r\n", b"1" * 200),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\n1\r\n" * 50),
    ):
        async with connected(service) as (reader, writer):
            writer.write(PUT + framing + b"\r\n")
            dripping = asyncio.create_task(drip(writer, body))
            problem = problem_of(await all_of(reader))
            assert (problem["type"], problem["instance"]) == ("/problems/request-timeout", "/v1/entities/thing/y")
            dripping.cancel()
    assert (await get(service, "/v1/entities/thing/y")).status_code == 404


async def test_a_body_that_is_shorter_than_it_was_announced_is_answered_408(service: ServiceProcess):
    async with connected(service) as (reader, writer):
        writer.write(PUT + b'Content-Length: 20\r\n\r\n{"n": 1}')
        assert problem_of(await all_of(reader))["status"] == 408


async def test_a_connection_that_says_nothing_is_ended_and_so_is_one_that_says_no_more(service: ServiceProcess):
    async with connected(service) as (silent, _), connected(service) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await all_of(reader)).endswith(b'{"status":"alive"}')
        assert await all_of(silent) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nX-Long: " + b"x" * 5_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + b"a: 1\r\n" * 21 + b"\r\n",
    ],
    ids=["a long target", "a long header", "many headers"],
)
async def test_a_head_that_is_too_large_is_answered_431(service: ServiceProcess, head: bytes):
    async with connected(service) as (reader, writer):
        writer.write(head)
        assert problem_of(await all_of(reader))["type"] == "/problems/head-too-large"


@pytest.mark.parametrize("place", ["the head", "the trailers", "a chunk's extension"])
async def test_what_never_ends_fills_no_memory(service: ServiceProcess, place: str):
    """64 MB at the most, if nobody stops it before."""
    start = {
        "the head": b"GET /livez HTTP/1.1\r\nX-Long: ",
        "the trailers": PUT + b"Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nX-Long: ",
        "a chunk's extension": PUT + b"Transfer-Encoding: chunked\r\n\r\n1;",
    }[place]
    before = resident_kib(service)
    async with connected(service) as (_, writer):
        writer.write(start)
        sent = 0
        while sent < 64_000_000 and not writer.transport.is_closing():
            writer.write(b"x" * 65_536)
            sent += 65_536
            try:
                await writer.drain()
            except ConnectionError:
                break
        assert sent < 16_000_000
    assert resident_kib(service) - before < 16_000


async def test_who_does_not_read_the_answers_is_disconnected(service: ServiceProcess):
    """Whether the connection is still needed, or to end with the answer."""
    for request in (GET * 200, GET * 60 + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1_024)
        writer.write(request)
        await eventually(lambda: not connections_to(service), within_seconds=10)
        assert len(await all_of(reader)) < 60 * 90_000
        writer.close()


async def test_who_reads_slowly_but_reads_gets_everything(service: ServiceProcess):
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=65_536)
    writer.write(GET * 60 + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    received, began = 0, time.monotonic()
    async with asyncio.timeout(20):
        while chunk := await reader.read(65_536):
            received += len(chunk)
            await lasting(0.02)  # 3 MB/s: about four times as long as an unread answer may wait
    writer.close()
    assert received > 61 * 90_000
    assert time.monotonic() - began > 0.8


async def test_beyond_the_limit_of_connections_health_is_answered_and_nothing_else(service: ServiceProcess):
    opened = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(12)]
    try:
        async with connected(service) as (reader, writer):
            writer.write(GET)
            sent = await all_of(reader)
            assert problem_of(sent)["type"] == "/problems/overloaded"
            assert b"retry-after: 1\r\n" in sent
        async with connected(service) as (reader, writer):
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await all_of(reader)).startswith(b"HTTP/1.1 200 OK")
    finally:
        for _, writer in opened:
            writer.close()
    await eventually(lambda: connections_to(service) == 0)
    assert (await get(service, PATH)).status_code == 200
    assert 'aside_shed_total{class="connection"} 1.0' in (await get(service, "/metrics")).text


async def test_what_is_no_http_is_answered_400(service: ServiceProcess):
    async with connected(service) as (reader, writer):
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert problem_of(await all_of(reader))["type"] == "/problems/malformed-request"


def connections_to(service: ServiceProcess) -> int:
    """Established ones, as the kernel sees the server's side."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{service.port:04X}") and line.split()[3] == "01" for line in lines)


def resident_kib(service: ServiceProcess) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{service.pid}/status").read_text())[0])
