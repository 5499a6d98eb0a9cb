"""A crowd of readers on connections that are open already: their requests arrive at the same moment.

Written over sockets: a client library takes longer to send a thousand requests than the service to answer them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from tests.support.fleet import pause_all, resume_all
from tests.support.load import Operation
from tests.support.service_process import ServiceProcess
from tests.support.waiting import lasting

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connections(urls: Sequence[str]) -> AsyncIterator[list[Streams]]:
    """One open connection for each URL, known to the server: it has answered a request on each."""
    opened: list[Streams] = []
    try:
        for url in urls:
            address = urlsplit(url)
            opened.append(await asyncio.open_connection(address.hostname, address.port))
        for _, writer in opened:
            writer.write(_request("/livez", keep=True))
        for reader, _ in opened:
            await _answer(reader)
        yield opened
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*[writer.wait_closed() for _, writer in opened], return_exceptions=True)


async def at_once(
    replicas: Sequence[ServiceProcess],
    keys: Sequence[str],
    *,
    as_they_start: Callable[[], Awaitable[None]] | None = None,
) -> list[Operation]:
    """The answers to requests that the replicas, in turn, find waiting all together: they stand still meanwhile."""
    urls = [replicas[number % len(replicas)].url for number in range(len(keys))]
    async with connections(urls) as opened:
        pause_all(replicas)
        answers = asyncio.create_task(replies(opened, keys, urls))
        await lasting(0.1)  # all are written long before this ends: one turn of our loop
        if as_they_start is not None:
            await as_they_start()
        resume_all(replicas)
        return await answers


async def replies(
    opened: Sequence[Streams], keys: Sequence[str], urls: Sequence[str], *, waves: int = 1
) -> list[Operation]:
    """Ask for one key on each connection, all at the same moment, or in some waves that follow each other closely."""
    answers: list[asyncio.Task[Operation]] = []
    rows = list(zip(opened, keys, urls, strict=True))
    for wave in range(waves):
        for (reader, writer), key, url in rows[wave::waves]:
            writer.write(_request(f"/v1/entities/thing/{key}", keep=False))
            answers.append(asyncio.create_task(_operation(reader, key, url, time.monotonic())))
        await lasting(0.05 if wave + 1 < waves else 0)
    return await asyncio.gather(*answers)


async def left_midway(opened: Sequence[Streams], keys: Sequence[str]) -> None:
    """Send a request on each connection and close it without waiting for the answer."""
    for (_, writer), key in zip(opened, keys, strict=True):
        writer.write(_request(f"/v1/entities/thing/{key}", keep=False))
    await asyncio.gather(*[writer.drain() for _, writer in opened])
    for _, writer in opened:
        writer.close()


def _request(path: str, *, keep: bool) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: crowd\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n".encode()


async def _operation(reader: asyncio.StreamReader, key: str, url: str, began: float) -> Operation:
    status, headers, body = await _answer(reader)
    ended = time.monotonic()
    return Operation(
        is_write=False, key=key, url=url, began=began, ended=ended, status=status, headers=headers, body=body
    )


async def _answer(reader: asyncio.StreamReader) -> tuple[int, httpx.Headers, bytes]:
    async with asyncio.timeout(15):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = httpx.Headers([(name, value) for name, _, value in (line.partition(": ") for line in head[1:-2])])
        body = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, body
