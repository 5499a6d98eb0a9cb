"""The route that tells how the cache has done lately, in steps: what the dashboard draws."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.cache_history_example import example
from service.api.cache_history_report import CacheHistory, history_of
from service.api.documentation import headers, operation, problem, query_parameter
from service.api.guarding import GuardedRoute
from service.api.queries import read_seconds, read_text
from service.domain.entity import ENTITY_TYPE_PATTERN
from service.metrics.statistics import QUARTER_SECONDS, STEP_SECONDS
from service.metrics.windows import Stretch

ReadLately = Callable[[float], Stretch]

_DESCRIPTION = f"""What was counted in each of the last steps of {STEP_SECONDS:g} seconds, for up to 15 minutes: this
replica, all its workers. `?entity_type=` filters what is counted by type; a type without a policy of its own is counted
as `other`. Steps end on even seconds: the answers to several requests, and of several workers, can be put together by
their `times`. Nothing is asked of PostgreSQL or Redis."""

_SECONDS = query_parameter(
    "seconds",
    f"How far back; {QUARTER_SECONDS:g} if not given",
    type="integer",
    minimum=1,
    maximum=round(QUARTER_SECONDS),
)
_ENTITY_TYPE = query_parameter("entity_type", "Of one type only", type="string", pattern=ENTITY_TYPE_PATTERN)


def cache_history_router(read_lately: ReadLately) -> APIRouter:
    """The route, over whatever counts."""
    router = APIRouter(tags=["operations"], route_class=GuardedRoute)

    async def cache_history(request: Request) -> Response:
        seconds = read_seconds(request.query_params, longest=QUARTER_SECONDS)
        entity_type = read_text(request.query_params, "entity_type", ENTITY_TYPE_PATTERN)
        history = history_of(read_lately(seconds), step_seconds=STEP_SECONDS, entity_type=entity_type or None)
        return Response(history.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})

    router.add_api_route(
        "/v1/cache/history",
        cache_history,
        methods=["GET"],
        **operation(
            "cacheHistory",
            "The cache over time",
            description=_DESCRIPTION,
            parameters=[_SECONDS, _ENTITY_TYPE],
            responses={
                200: {
                    "model": CacheHistory,
                    "description": "Columns, the newest item last",
                    "headers": headers("Cache-Control"),
                    "content": {"application/json": {"example": example()}},
                },
                422: problem("A parameter of the query makes no sense"),
            },
        ),
    )
    return router
