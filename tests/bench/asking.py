"""Asks for many keys over a few connections, and looks at every answer: fills caches, and proves that all answer alike.

Not a measure of speed: wrk is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

CONNECTIONS = 32
PATIENCE_SECONDS = 15.0
ATTEMPTS = 3
"""A machine that others use too may let one request wait until the server gives it up."""


class WrongAnswerError(Exception):
    """A server that is to be compared does not answer as all others do."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One kept connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Connection:
        address = urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def get(self, path: str) -> Answer:
        """Raises OSError, EOFError, TimeoutError."""
        return await self.send(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())

    async def send(self, request: bytes) -> Answer:
        self._writer.write(request)
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split()[1]), headers, body)

    def close(self) -> None:
        self._writer.close()


def ask_all(url: str, head: str, keys: Iterator[int], *, tail: str = "", body_bytes: int) -> int:
    """GET of every key. Returns how many; raises WrongAnswerError unless each is a 200 with so many bytes."""
    return asyncio.run(_ask_all(url, head, keys, tail=tail, body_bytes=body_bytes))


async def _ask_all(url: str, head: str, keys: Iterator[int], *, tail: str, body_bytes: int) -> int:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_ask(url, head, keys, tail=tail, body_bytes=body_bytes)) for _ in range(CONNECTIONS)]
    return sum(task.result() for task in tasks)


async def _ask(url: str, head: str, keys: Iterator[int], *, tail: str, body_bytes: int) -> int:
    connection, count = await Connection.open(url), 0
    try:
        for key in keys:
            await _ask_for(connection, f"{head}{key}{tail}", body_bytes)
            count += 1
    finally:
        connection.close()
    return count


async def _ask_for(connection: Connection, path: str, body_bytes: int) -> None:
    for _ in range(ATTEMPTS):
        answer = await connection.get(path)
        if answer.status == 200 and len(answer.body) == body_bytes:
            return
    raise WrongAnswerError(f"GET {path}: {answer.status}, {len(answer.body)} bytes: {answer.body[:300]!r}")
