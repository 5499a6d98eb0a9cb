"""The route that tells people how the cache does: counts, hit ratios, the audit, the server's memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from service.api.cache_report import CacheStats, report
from service.api.cache_stats_example import example
from service.api.documentation import headers
from service.api.guarding import GuardedRoute
from service.api.state import cache_state_of
from service.metrics.statistics import Counts

ReadCounts = Callable[[], Awaitable[Counts]]

_DESCRIPTION = """Counts of this replica, all its workers: the same that `/metrics` shows. Asks Redis once for its
memory, and answers without it while Redis is away. `audit` says how sure it is that nothing cached is older than B:
a sampler holds cached entries against PostgreSQL, in a way that cannot raise a false alarm."""


def cache_stats_router(read_counts: ReadCounts) -> APIRouter:
    """The route, over whatever counts."""
    router = APIRouter(tags=["operations"], route_class=GuardedRoute)

    async def cache_stats(request: Request) -> Response:
        stats = report(await read_counts(), await cache_state_of(request).look())
        return JSONResponse(stats.model_dump(), headers={"Cache-Control": "no-store"})

    answer: dict[str, Any] = {
        "model": CacheStats,
        "description": "The cache in numbers",
        "headers": headers("Cache-Control"),
        "content": {"application/json": {"example": example()}},
    }
    router.add_api_route(
        "/v1/cache/stats",
        cache_stats,
        methods=["GET"],
        operation_id="cacheStats",
        response_class=JSONResponse,
        responses={200: answer},
        summary="The cache in numbers",
        description=_DESCRIPTION,
    )
    return router
