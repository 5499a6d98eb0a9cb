"""Which door a request came through: the public port, or that of operators, where there is one.

The public port then has a router of its own, without the routes for operators: what is asked for there is not refused,
it does not exist.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRouter, iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.access_rules import is_for_operators


class Doors:
    """``admin_port`` is the one through which everything can be had."""

    def __init__(self, everything: ASGIApp, public: ASGIApp, *, admin_port: int) -> None:
        self._everything = everything
        self._public = public
        self._admin_port = admin_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        port = (scope.get("server") or (None, None))[1]
        is_public = scope["type"] == "http" and port != self._admin_port
        await (self._public if is_public else self._everything)(scope, receive, send)


def add_doors(app: FastAPI, *, admin_port: int | None) -> None:
    """After all routes are there. Without a port for operators there is one door, and everything is behind it."""
    if admin_port is None:
        return
    public = APIRouter(redirect_slashes=False)
    public.routes.extend(route for route in app.router.routes if not _is_for_operators(route))
    app.router.middleware_stack = Doors(app.router.middleware_stack, public.app, admin_port=admin_port)


def _is_for_operators(route: BaseRoute) -> bool:
    """Of an included router: whether all of it is. A router is for the public, or for operators."""
    kinds = {is_for_operators(context.path or "") for context in iter_route_contexts([route])}
    if len(kinds) != 1:
        raise RuntimeError("a router must not mix routes for the public with routes for operators")
    return kinds.pop()
