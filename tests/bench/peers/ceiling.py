"""The ceiling: raw ASGI, the same bytes for every request of a type. All that is measured is uvicorn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]


def _constant(size: int) -> tuple[Message, Message]:
    body = b'{"id": "0000001", "text": "' + b"x" * (size - 29) + b'"}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return {"type": "http.response.start", "status": 200, "headers": headers}, {
        "type": "http.response.body", "body": body,
    }  # fmt: skip


_ANSWERS = {b"item": _constant(250), b"medium": _constant(5_000), b"large": _constant(50_000)}


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    start, body = _ANSWERS[scope["raw_path"].split(b"/", 4)[3]]
    await send(start)
    await send(body)
