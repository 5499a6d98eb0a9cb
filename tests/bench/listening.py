"""An HTTP server of a test's own, in a thread beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.embedded import free_port


@contextmanager
def listening(status: int, *, answer: bytes = b"{}", heads: list[str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Answers everything so; yields its URL, and the paths that it was asked for. ``heads`` gets the whole heads."""
    paths: list[str] = []
    port, loop = free_port(), asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if heads is not None:
                    heads.append(head.decode())
                lines = head.decode().split("\r\n")
                paths.append(lines[0].split()[1])
                lengths = [int(line.partition(": ")[2]) for line in lines if line.startswith("Content-Length")]
                body = await reader.readexactly(sum(lengths))
                assert not body or (body.startswith(b'{"id": "') and len(body) == len('{"id": "0000001"}'))
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}", paths
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(others, timeout=5) if others else None
