"""The route that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from service.api.documentation import headers
from service.api.guarding import GuardedRoute

Expose = Callable[[str], tuple[bytes, str]]
"""Writes the metrics in the format that an Accept header prefers; returns them with their media type."""


def scrape_router(expose: Expose) -> APIRouter:
    """The route, over whatever writes the metrics."""
    router = APIRouter(tags=["operations"], route_class=GuardedRoute)

    # Not async: the files of several workers are read, which need not hold up anybody else.
    def metrics(request: Request) -> Response:
        body, media_type = expose(request.headers.get("accept", ""))
        return Response(body, headers={"Cache-Control": "no-store", "Content-Type": media_type})

    text = {"schema": {"type": "string"}}
    answer = {
        "description": "The metrics",
        "headers": headers("Cache-Control"),
        "content": {"text/plain": text, "application/openmetrics-text": text},
    }
    router.add_api_route(
        "/metrics",
        metrics,
        methods=["GET"],
        operation_id="metrics",
        response_class=PlainTextResponse,
        responses={200: answer},
        summary="Metrics for Prometheus",
        description="In Prometheus's text format, or as OpenMetrics where `Accept` asks for it.",
    )
    return router
