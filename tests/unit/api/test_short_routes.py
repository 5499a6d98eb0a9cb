"""The short way to an entity's endpoint answers, counts and refuses as the router does."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from fastapi import FastAPI

from service.api.short_routes import ShortRoutes
from service.errors import DatabaseBusyError
from tests.unit.api.conftest import make_app, open_client
from tests.unit.api.stand_in import StandIn

METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS", "TRACE"]
PATHS = [
    "/v1/entities/country/JP",
    "/v1/entities/country/absent",
    "/v1/entities/parameter/x",
    "/v1/entities/Country/JP",
    "/v1/entities/country/",
    "/v1/entities/country/a%2Fb",
    "/v1/entities/country/a%20b",
    "/v1/entities/country/JP%0A",
    "/v1/entities/country/JP/",
    "/v1/entities/country/JP?ttl_seconds=60",
    "/v1/entities/country/JP?ttl_seconds=x",
    "/v1/parameters/app:config:max_users",
]
ASKING: list[dict[str, str]] = [
    {},
    {"if-match": '"1"'},
    {"if-match": "nonsense"},
    {"if-none-match": "*"},
    {"cache-control": "no-cache"},
    {"content-type": "text/plain"},
    {"prefer": "respond-async"},
]


def without_short_routes(app: FastAPI) -> FastAPI:
    short = app.router.middleware_stack
    assert isinstance(short, ShortRoutes)
    app.router.middleware_stack = short._router
    return app


async def said(app: FastAPI, failure: BaseException | None) -> list[tuple[Any, ...]]:
    """What is answered to each method and path, and to each header, and what the metrics say of it afterwards."""
    answers: list[tuple[Any, ...]] = []
    asked = [(method, path, {}) for method, path in itertools.product(METHODS, PATHS)]
    asked += [(method, PATHS[0], more) for method, more in itertools.product(METHODS, ASKING)]
    async with app.router.lifespan_context(app), open_client(app) as client:
        stand_in = app.state.entities
        stand_in.holds("country", "JP", {"name": "Japan"})
        stand_in.failure = failure
        for method, path, more in asked:
            headers = {"content-type": "application/json", "x-request-id": "same", **more}
            response = await client.request(method, path, headers=headers, content=b'{"name": "Nippon"}')
            answers.append((method, path, response.status_code, response.headers.multi_items(), response.content))
        metrics = (await client.get("/metrics")).text
    counted = sorted(line for line in metrics.splitlines() if line.startswith("aside_request_seconds_count"))
    return [*answers, tuple(counted)]


@pytest.mark.parametrize("failure", [None, DatabaseBusyError("busy"), RuntimeError("a defect")])
async def test_whatever_is_asked_the_answer_and_its_count_are_those_of_the_router(failure: BaseException | None):
    short, long = make_app(StandIn()), without_short_routes(make_app(StandIn()))
    for one, other in zip(await said(short, failure), await said(long, failure), strict=True):
        assert one == other


async def test_the_names_of_entities_do_not_reach_the_router():
    app = make_app(StandIn())
    short = app.router.middleware_stack
    assert isinstance(short, ShortRoutes)
    passed: list[str] = []

    async def router(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])
        await short._router(scope, receive, send)

    app.router.middleware_stack = ShortRoutes(router, short._endpoints)
    async with app.router.lifespan_context(app), open_client(app) as client:
        app.state.entities.holds("country", "JP", {})
        for path in ("/v1/entities/country/JP", "/v1/entities/Country/JP", "/livez"):
            await client.get(path, headers={"cache-control": "max-age=60"})
    assert passed == ["/v1/entities/Country/JP", "/livez"]
