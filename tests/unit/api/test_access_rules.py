"""Every route has a rule, every rule a route, and what has none is not served."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from service.api.access_rules import RULES, is_for_operators
from service.api.doors import add_doors
from service.api.guarding import GuardedRoute, check_guarded


def places(app: FastAPI) -> set[tuple[str, str]]:
    found = set()
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, Mount):
            found.add(("GET", context.path))
        else:
            found |= {(method, context.path_format) for method in context.methods}
    return found


def test_the_table_is_complete_and_has_nothing_that_is_not_there(app: FastAPI):
    assert places(app) == set(RULES)


async def nothing() -> None: ...


def test_a_route_without_a_rule_keeps_the_app_from_starting(app: FastAPI):
    app.router.add_api_route("/v1/secrets", nothing, methods=["GET"], route_class_override=GuardedRoute)
    with pytest.raises(RuntimeError, match="GET /v1/secrets has no rule"):
        check_guarded(app)


def test_a_route_with_a_rule_that_does_not_ask_for_a_key_does_so_too(app: FastAPI):
    app.add_api_route("/v1/keys", nothing, methods=["GET"])
    with pytest.raises(RuntimeError, match="GET /v1/keys has no rule in access_rules, or does not ask"):
        check_guarded(app)


def test_a_router_that_mixes_the_public_with_operators_has_no_door(app: FastAPI):
    from fastapi import APIRouter

    mixed = APIRouter()
    for path in ("/v1/cache/new", "/v1/new"):
        mixed.add_api_route(path, nothing)
    app.include_router(mixed)
    with pytest.raises(RuntimeError, match="must not mix"):
        add_doors(app, admin_port=9000)


@pytest.mark.parametrize(
    "path", ["/metrics", "/v1/cache/jobs/{id}", "/docs", "/docs/assets", "/v1/keys", "/dashboard/"]
)
def test_what_is_for_operators_moves(path: str):
    assert is_for_operators(path)


@pytest.mark.parametrize(
    "path", ["/v1/entities/{entity_type}/{id}", "/livez", "/readyz", "/v1/keysmith", "/v1/parameters"]
)
def test_what_is_for_everybody_stays(path: str):
    assert not is_for_operators(path)
