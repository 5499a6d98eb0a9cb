"""What happens around every request, whatever answers it: its id, its time, and no body for HEAD. Pure ASGI."""

from __future__ import annotations

from time import perf_counter
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.request_ids import REQUEST_ID_HEADER, assign_request_id

IS_STREAM = "aside.is_stream"
"""Set in the scope by an answer that goes on for as long as its client likes: its request is over when it begins."""
_HEADER_NAME = REQUEST_ID_HEADER.lower().encode()


class RequestRecorder(Protocol):
    """Whom to tell about requests."""

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """After each request; ``route`` is a template, or None where no route matched."""


class RequestEnvelope:
    """Wraps each HTTP request once."""

    def __init__(self, app: ASGIApp, recorder: RequestRecorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        request_id = assign_request_id(scope)
        status = 500
        without_body = scope["method"] == "HEAD"

        def tell() -> None:
            route = getattr(scope.get("route"), "path_format", None)
            self._recorder.request(scope["method"], route, status, perf_counter() - started)

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_HEADER_NAME, request_id)]
                if IS_STREAM in scope:
                    tell()
            elif without_body and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            if IS_STREAM not in scope:
                tell()
