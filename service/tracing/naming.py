"""Names the span of a request that our shorter way has routed: FastAPI names those that its own router finds."""

from __future__ import annotations

from opentelemetry.trace import get_current_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class NamedByRoute:
    """As FastAPI does it: method and template, never the path. Before the answer, since the span ends with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            template = getattr(scope.get("route"), "path_format", None)
            if message["type"] == "http.response.start" and isinstance(template, str):
                span = get_current_span()
                span.update_name(f"{scope['method']} {template}")
                span.set_attribute("http.route", template)
            await send(message)

        await self._app(scope, receive, send_on)
