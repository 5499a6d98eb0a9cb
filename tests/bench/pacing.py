"""Steady reads of one path over a few connections, at a fixed rate, with the latency of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench.asking import Connection

CONNECTIONS = 16


class Read(NamedTuple):
    """``at`` on the monotonic clock, when it was due. ``seconds`` from then on, if it had to wait for its connection;
    otherwise from when it was sent: that a timer of ours rang late is not the server's doing.
    """

    at: float
    seconds: float
    is_hit: bool
    status: int = 200


async def steady_reads(url: str, path: str, *, rate: float, seconds: float, authorization: str = "") -> list[Read]:
    """All reads, in no order. Raises OSError, EOFError, TimeoutError."""
    begins, every = time.monotonic() + 0.05, CONNECTIONS / rate
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_reads(url, path, authorization, _due(begins + number / rate, every, begins + seconds)))
            for number in range(CONNECTIONS)
        ]
    return [read for task in tasks for read in task.result()]


def _due(first: float, every: float, until: float) -> Iterator[float]:
    number = 0
    while (at := first + number * every) < until:
        yield at
        number += 1


async def _reads(url: str, path: str, authorization: str, due: Iterator[float]) -> list[Read]:
    connection, reads = await Connection.open(url), []
    fields = f"Authorization: {authorization}\r\n" if authorization else ""
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n{fields}\r\n".encode()
    try:
        for at in due:
            wait = at - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
                began = time.monotonic()
            else:
                began = at
            answer = await connection.send(request)
            seconds, is_hit = time.monotonic() - began, "; hit" in answer.headers.get("cache-status", "")
            reads.append(Read(at, seconds, is_hit, answer.status))
    finally:
        connection.close()
    return reads
