"""Whether this process lives, and whether it should get requests."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from service.api.documentation import headers
from service.api.guarding import GuardedRoute, may_if_it_says_who
from service.api.state import health_of, is_draining
from service.domain.scopes import Verb

_WELL = frozenset({"ok", "leading", "following"})
_NOT_STORED = {"Cache-Control": "no-store"}


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class ReadinessReport(BaseModel):
    """What this process can do, and in what state its components are."""

    status: Literal["ready", "degraded", "unavailable", "draining"] = Field(
        description="`degraded`: every request is answered, some of them slower; `draining`: it is being stopped"
    )
    components: dict[str, str] | None = Field(
        default=None,
        description="where keys are asked for, only for one that may `observe:*`",
        examples=[{"postgresql": "ok", "schema": "ok", "cache": "ok", "relay": "leading"}],
    )


def health_router() -> APIRouter:
    """The routes for probes."""
    router = APIRouter(tags=["operations"], route_class=GuardedRoute)
    router.add_api_route(
        "/livez",
        live,
        operation_id="live",
        summary="Is the process alive?",
        description="Touches nothing outside the process.",
        responses={200: _answer(Liveness, "It answers")},
        response_class=JSONResponse,
    )
    router.add_api_route(
        "/readyz",
        ready,
        operation_id="ready",
        summary="Should it get requests?",
        description="Without the cache it is ready, and degraded.",
        responses={200: _answer(ReadinessReport, "Send requests"), 503: _answer(ReadinessReport, "Send none")},
        response_class=JSONResponse,
    )
    return router


def _answer(model: type[BaseModel], description: str) -> dict[str, Any]:
    return {"model": model, "description": description, "headers": headers("Cache-Control")}


async def live() -> Response:
    return JSONResponse({"status": "alive"}, headers=_NOT_STORED)


async def ready(request: Request) -> Response:
    readiness = await health_of(request).ready()
    if is_draining(request.app):
        status = "draining"
    elif not readiness.ready:
        status = "unavailable"
    else:
        status = "degraded" if set(readiness.components.values()) - _WELL else "ready"
    report: dict[str, Any] = {"status": status}
    if may_if_it_says_who(request, Verb.OBSERVE, "*"):
        report["components"] = readiness.components
    return JSONResponse(report, status_code=200 if status in {"ready", "degraded"} else 503, headers=_NOT_STORED)
