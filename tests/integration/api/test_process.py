"""The process around the API: it starts without its servers, drains, counts over its workers, and keeps secrets."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.integration.api.conftest import until_ready

PATH = "/v1/entities/country/JP"
NOWHERE = {
    "DATABASE_URL": "postgresql://aside:hunter2-swordfish@127.0.0.1:1/aside",
    "REDIS_URL": "redis://:hunter2-swordfish@127.0.0.1:1/0",
}


async def test_without_any_server_it_starts_and_says_what_is_missing(replicas: Any) -> None:
    [replica] = replicas(1, **NOWHERE)
    async with httpx.AsyncClient(base_url=replica.url) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
            answer = await client.request(method, PATH, json=body)
            assert answer.status_code == 503
            assert answer.json()["type"] == "/problems/database-unavailable"
            assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/docs")).status_code == 200
        assert "hunter2" not in ready.text + answer.text
    replica.terminate()
    assert "hunter2" not in replica.log


async def test_a_terminated_process_turns_its_probe_and_serves_until_the_delay_is_over(replicas: Any) -> None:
    [replica] = replicas(1, ASIDE_DRAIN_SECONDS="1.5")
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await client.put(PATH, json=1)
        os.kill(replica.pid, signal.SIGTERM)
        while (ready := await client.get("/readyz")).status_code == 200:
            pass
        assert ready.json()["status"] == "draining"
        async with httpx.AsyncClient(base_url=replica.url) as newcomer:
            fresh = await newcomer.get(PATH)
        assert (fresh.status_code, fresh.json()) == (200, 1)
        assert replica.is_running
    assert await asyncio.to_thread(replica.wait) in {0, -signal.SIGTERM}


async def test_every_worker_shows_the_counts_of_all(replicas: Any) -> None:
    [replica] = replicas(1, ASIDE_WORKERS="2")
    requests = 40
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
    for _ in range(requests):  # a connection each, so that both workers get some
        async with httpx.AsyncClient(base_url=replica.url) as client:
            assert (await client.get(PATH)).status_code == 404
    scrapes: list[str] = []
    for _ in range(10):
        async with httpx.AsyncClient(base_url=replica.url) as client:
            scrapes.append((await client.get("/metrics")).text)
    counted = re.compile(r'^aside_request_seconds_count\{.*route="/v1/entities/.*status="404"\} (.*)$', re.MULTILINE)
    assert [float(count) for text in scrapes for count in counted.findall(text)] == [requests] * len(scrapes)
    reads = re.compile(r'^aside_cache_requests_total\{entity_type="other".*\} (.*)$', re.MULTILINE)
    assert {sum(map(float, reads.findall(text))) for text in scrapes} == {requests}


def _raw(url: str, request: bytes) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
            if b'"request_id"' in answer:
                break
    return answer


async def test_names_that_no_client_library_would_send_are_refused_too(client: httpx.AsyncClient) -> None:
    url = str(client.base_url)
    for name in (b"a%2Fb", b"JP%0A", b"%00", b"..%2f..", b"", b"a/b", b"%ff%fe", b"%", b"a" * 4_000):
        request = b"GET /v1/entities/country/" + name + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await asyncio.to_thread(_raw, url, request)
        assert answer.startswith(b"HTTP/1.1 422 "), (name, answer)


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(client: httpx.AsyncClient) -> None:
    head = b"PUT " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    chunk = b"10000\r\n" + b"1" * 0x10000 + b"\r\n"
    # The body never ends; the answer comes all the same.
    request = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17
    answer = await asyncio.to_thread(_raw, str(client.base_url), request)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_an_announced_body_is_refused_before_it_is_sent(client: httpx.AsyncClient) -> None:
    head = b"PUT " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    request = head + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    answer = await asyncio.to_thread(_raw, str(client.base_url), request)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_slow_sender_holds_no_database_connection(replicas: Any) -> None:
    [replica] = replicas(1, ASIDE_DATABASE__WRITE_CONNECTIONS="1")
    head = (
        b"PUT " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    )
    parts = urlsplit(replica.url)
    senders = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(5)]
    try:
        for sender in senders:
            sender.sendall(head + b"[1,")
        async with httpx.AsyncClient(base_url=replica.url) as client:
            assert (await client.put("/v1/entities/country/FR", json=1)).status_code == 201
    finally:
        for sender in senders:
            sender.close()
