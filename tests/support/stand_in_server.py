"""A small HTTP server in the test's own loop, for what a real service does not do when asked: stall, break off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

BREAK_OFF = b""
"""Instead of an answer: the connection is cut."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Reply = Callable[[int, bytes], Awaitable[bytes]]
"""From the number of a request, counted from 1, and its head, to the whole answer."""


class StandInServer:
    """``requests`` and ``connections`` are how many there were."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.requests = 0
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def end(self) -> None:
        """Let nobody wait any longer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                answer = await self._reply(self.requests, head)
                if answer == BREAK_OFF:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def stand_in_server(reply: Reply) -> AsyncIterator[StandInServer]:
    """Listens on a free port of loopback inside the block."""
    stand_in = StandInServer(reply)
    server = await asyncio.start_server(stand_in.accept, "127.0.0.1", 0)
    stand_in.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stand_in
    finally:
        server.close()
        await stand_in.end()


async def always_ok(_: int, __: bytes) -> bytes:
    return OK
