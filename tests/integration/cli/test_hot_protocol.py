"""The short way of a hit, through the protocol that the service runs: what HTTP promises holds on it too."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.cancelling.wire import Wire, get, put
from tests.support.polling import turns
from tests.support.waiting import eventually

PATH = "/v1/entities/thing/x"
LARGE = "/v1/entities/thing/large"


@pytest.fixture
async def service(replicas):
    [service] = replicas(1)
    async with httpx.AsyncClient(base_url=service.url) as client:
        await client.put(PATH, json={"n": 1})
        await client.put(LARGE, json={"text": "x" * 50_000})
        await eventually(lambda: _hits(client, PATH))
        await eventually(lambda: _hits(client, LARGE))
    return service


async def _hits(client: httpx.AsyncClient, path: str) -> bool:
    return (await client.get(path)).headers["cache-status"].startswith("aside; hit")


async def _exchange(url: httpx.URL, request: bytes) -> bytes:
    """All that the server sends until it ends the connection."""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request)
    async with asyncio.timeout(10):
        sent = await reader.read()
    writer.close()
    await writer.wait_closed()
    return sent


async def test_answers_of_both_ways_come_in_the_order_of_their_requests(service):
    wire = await Wire.open(service.url)
    round_ = [
        (get(PATH), 200),
        (get("/v1/entities/thing/absent"), 404),
        (get(PATH), 200),
        (put("/v1/entities/thing/y", b'{"n": 2}'), None),
        (get("/v1/entities/thing/y"), 200),
        (get(PATH + "?x=1"), 200),
        (get(LARGE), 200),
        (get("/livez"), 200),
        (get(PATH), 200),
    ]
    for _ in range(10):
        replies = await asyncio.gather(*wire.send(*[request for request, _ in round_]))
        statuses = [reply.status for reply in replies]
        assert [status for status, (_, known) in zip(statuses, round_, strict=True) if known] == [
            known for _, known in round_ if known
        ]
        assert {replies[at].body for at in (0, 2, 5, 8)} == {b'{"n": 1}'}
        assert replies[4].body == b'{"n": 2}'
        assert len(replies[6].body) > 50_000
    wire.close()


async def test_a_connection_that_shall_end_with_the_answer_does(service):
    for line, header in (("1.1", "Connection: close\r\n"), ("1.0", ""), ("1.1", "Connection: Close\r\n")):
        sent = await _exchange(httpx.URL(service.url), f"GET {PATH} HTTP/{line}\r\nHost: x\r\n{header}\r\n".encode())
        head, body = sent.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
        assert b"\r\nconnection: close" in head
        assert b"\r\ncache-status: aside; hit; ttl=" in head
        assert body == b'{"n": 1}'


async def test_it_says_what_the_ordinary_route_says(service):
    """A request that names a directive takes the ordinary way, and gets the same value."""
    async with httpx.AsyncClient(base_url=service.url, headers={"x-request-id": "same"}) as client:
        short, ordinary = await client.get(PATH), await client.get(PATH, headers={"cache-control": "max-age=3600"})
        unmodified = await client.get(PATH, headers={"if-none-match": short.headers["etag"]})
        again = await client.get(PATH)
    varying = {"cache-status", "age", "server-timing", "date"}
    assert list(short.headers) == list(ordinary.headers)
    assert {k: v for k, v in short.headers.items() if k not in varying} == {
        k: v for k, v in ordinary.headers.items() if k not in varying
    }
    assert short.content == ordinary.content == again.content
    assert (unmodified.status_code, unmodified.content) == (304, b"")
    assert list(unmodified.headers) == [name for name in short.headers if not name.startswith("content-")]


async def test_clients_that_leave_before_their_answer_cause_no_error_and_harm_nobody(service):
    staying = await Wire.open(service.url)
    for _ in range(50):
        leaving = await Wire.open(service.url)
        leaving.send(*[get(PATH)] * 5)
        leaving.reset()
        [reply] = staying.send(get(PATH))
        assert (await reply).body == b'{"n": 1}'
    staying.close()
    await turns()
    assert service.terminate() == 0
    assert '"level": "error"' not in service.log


async def test_a_client_that_asks_and_does_not_read_fills_no_memory(service):
    """2,000 answers of 50 KB are 100 MB: they wait in the client's requests, not in the service."""
    host, port = httpx.URL(service.url).host, httpx.URL(service.url).port
    reader, writer = await asyncio.open_connection(host, port, limit=2**16)
    before = _resident_kib(service.pid)
    writer.write(get(LARGE) * 2_000)
    async with httpx.AsyncClient(base_url=service.url) as other:
        for _ in range(100):  # others are served; by then as much has been written as will be
            assert (await other.get(PATH)).status_code == 200
    assert _resident_kib(service.pid) - before < 30_000
    async with asyncio.timeout(60):
        for _ in range(2_000):
            head = await reader.readuntil(b"\r\n\r\n")
            [length] = re.findall(rb"content-length: (\d+)", head)
            assert len(await reader.readexactly(int(length))) > 50_000
    writer.close()


def _resident_kib(pid: int) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])
