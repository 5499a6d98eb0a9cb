"""Asks an ASGI application without any client, and keeps every message as it was sent."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

Sent = list[MutableMapping[str, Any]]


async def sent_by(app: Any, scope: dict[str, Any], chunks: Sequence[bytes]) -> Sent:
    sent: Sent = []
    messages = [{"type": "http.request", "body": each, "more_body": True} for each in chunks]
    messages = [*messages[:-1], {**messages[-1], "more_body": False}] if messages else []
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append({**message, "headers": list(message["headers"])} if "headers" in message else dict(message))

    try:
        await app(dict(scope), receive, send)
    except RuntimeError as error:
        sent.append({"raised": str(error)})
    return sent
