"""The routes of API keys: made, rotated and revoked by whoever may `admin:*`. No key can give more than it has."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from service.api import key_operations as operations
from service.api.answers import JSON
from service.api.authorship import read_authorship
from service.api.forms import read_form
from service.api.guarding import GuardedRoute, principal_of
from service.api.key_forms import (
    KeyEventReport,
    KeyForm,
    KeyList,
    KeyReport,
    KeyWithHistory,
    NewKeyReport,
    RotationForm,
    key_report,
)
from service.api.queries import read_limit
from service.api.state import keys_of, limits_of
from service.domain.key_text import ID_PATTERN
from service.domain.scopes import Scopes, parse_scopes
from service.errors import ForbiddenError
from service.services.api_keys import NewKey

KEYS_PATH = "/v1/keys"
KeyId = Annotated[
    str,
    Path(
        alias="id",
        pattern=ID_PATTERN,
        description="what stands between `aside_live_` and the secret",
        openapi_examples={"a key": {"value": "7xk2mq9dtw4v"}},
    ),
]


def keys_router() -> APIRouter:
    router = APIRouter(tags=["keys"], route_class=GuardedRoute)
    router.add_api_route(KEYS_PATH, list_keys, methods=["GET"], **operations.list_all())
    router.add_api_route(KEYS_PATH, create_key, methods=["POST"], **operations.create())
    router.add_api_route(f"{KEYS_PATH}/{{id}}", read_key, methods=["GET"], **operations.read())
    router.add_api_route(f"{KEYS_PATH}/{{id}}", revoke_key, methods=["DELETE"], **operations.revoke())
    router.add_api_route(f"{KEYS_PATH}/{{id}}/rotate", rotate_key, methods=["POST"], **operations.rotate())
    return router


async def list_keys(request: Request) -> Response:
    keys, limit = keys_of(request), read_limit(request.query_params)
    return _answer(KeyList(keys=[key_report(row) for row in await keys.newest(limit)]))


async def create_key(request: Request) -> Response:
    keys, authorship = keys_of(request), read_authorship(request)
    form = await read_form(request, KeyForm, limits_of(request))
    scopes = parse_scopes(form.scopes)
    _require_covered(request, scopes)
    made = await keys.create(form.name, scopes, lifetime_seconds=form.expires_in_seconds, authorship=authorship)
    return _made(made)


async def read_key(request: Request, key_id: KeyId) -> Response:
    keys = keys_of(request)
    row, events = await keys.read(key_id), await keys.events(key_id)
    return _answer(KeyWithHistory(**KeyReport.members_of(row), history=[KeyEventReport.of(each) for each in events]))


async def rotate_key(request: Request, key_id: KeyId) -> Response:
    keys, authorship = keys_of(request), read_authorship(request)
    form = await read_form(request, RotationForm, limits_of(request))
    _require_covered(request, parse_scopes((await keys.read(key_id)).scopes))
    return _made(await keys.rotate(key_id, overlap_seconds=form.overlap_seconds, authorship=authorship))


async def revoke_key(request: Request, key_id: KeyId) -> Response:
    await keys_of(request).revoke(key_id, authorship=read_authorship(request))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _require_covered(request: Request, scopes: Scopes) -> None:
    principal = principal_of(request)
    if principal is not None and not principal.scopes.cover(scopes):
        raise ForbiddenError("a key cannot give what it does not have itself")


def _made(made: NewKey) -> Response:
    report = NewKeyReport(**KeyReport.members_of(made.row), key=made.text)
    return _answer(report, 201, Location=f"{KEYS_PATH}/{made.row.id}")


def _answer(report: BaseModel, status: int = 200, **headers: str) -> Response:
    return Response(report.model_dump_json(), status, headers={"Cache-Control": "no-store", **headers}, media_type=JSON)
