"""Reads a body before the framework does, so that it can be handed on to it."""

from __future__ import annotations

from starlette.types import Message, Receive


async def read_whole(receive: Receive, received: list[Message], limit_bytes: int) -> bytes | None:
    """The whole body, None if the client went away or sends too much. Every message is noted in ``received``."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        received.append(message)
        if message["type"] != "http.request":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def once_more(received: list[Message], receive: Receive) -> Receive:
    """What was received, once more, and then what comes."""
    messages = iter(received)

    async def receive_again() -> Message:
        message = next(messages, None)
        return await receive() if message is None else message

    return receive_again
