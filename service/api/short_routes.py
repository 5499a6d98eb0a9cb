"""Finds the endpoint of a single entity by one pattern, where the router would try routes and solve dependencies.

It stands where the router stands, inside all middleware and error handling, and calls the very functions that are
routed. A name that is not valid, and every other path, is left to the router, which also documents the routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.access_rules import RULES
from service.api.entities import ENDPOINTS
from service.api.guarding import guard
from service.api.hot_targets import ENTITY_ROUTE, PATH

Endpoint = Callable[[Request, str, str], Awaitable[Response]]


class _Route(NamedTuple):
    """What the middleware wants to know of a route that was matched."""

    path_format: str


_ENTITY = _Route(ENTITY_ROUTE)


class ShortRoutes:
    """In front of ``router``. ``endpoints`` by method, for the path of one entity."""

    def __init__(self, router: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        self._router = router
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint, match = None, None
        if scope["type"] == "http" and not scope.get("root_path"):
            endpoint, match = self._endpoints.get(scope["method"]), PATH.fullmatch(scope["path"])
        if endpoint is None or match is None or match[1] is None:
            await self._router(scope, receive, send)
            return
        scope["route"] = _ENTITY
        request = Request(scope, receive, send)
        guard(request, RULES[scope["method"], ENTITY_ROUTE], match[1])
        response = await endpoint(request, match[1], match[2])
        await response(scope, receive, send)


def add_short_routes(app: FastAPI) -> None:
    """After all routers are included."""
    app.router.middleware_stack = ShortRoutes(app.router.middleware_stack, ENDPOINTS)
