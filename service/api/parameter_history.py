"""The routes of what parameters were: old versions, the list of them, the way back, the difference."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from service.api import parameter_history_operations as operations
from service.api.answers import written_response
from service.api.authorship import read_authorship
from service.api.bodies import is_document_type, read_body
from service.api.conditions import write_condition
from service.api.directives import wants_no_waiting
from service.api.pages import page_response
from service.api.parameter_names import PARAMETER_PATH, ParameterKey, parameter_location
from service.api.queries import read_flag, read_limit, read_moment, read_version
from service.api.repeats import read_key, repeatable
from service.api.state import Limits, limits_of, parameters_of
from service.cache.entry import Answer, Outcome
from service.domain.document import check_document
from service.domain.exact_json import Numeral, parse_exact, render_exact
from service.errors import Fault, InvalidParameterError
from service.services.parameters import NEWEST

JSON_PATCH = "application/json-patch+json"
_WHOLE = re.compile(r"[0-9]{1,19}(?:\.0{1,19})?")


def add_routes(router: APIRouter, limits: Limits) -> None:
    router.add_api_route(f"{PARAMETER_PATH}/versions", list_versions, methods=["GET"], **operations.versions())
    router.add_api_route(f"{PARAMETER_PATH}/rollback", roll_back, methods=["POST"], **operations.rollback(limits))
    router.add_api_route(f"{PARAMETER_PATH}/diff", read_difference, methods=["GET"], **operations.difference())


def wants_history(request: Request) -> bool:
    return "version" in request.query_params or "at" in request.query_params


async def read_recorded(request: Request, key: str) -> tuple[Answer, dict[str, str]]:
    """The version that `?version=` or `?at=` asks for, and how it came about: never out of the cache."""
    query, service = request.query_params, parameters_of(request)
    version, at = read_version(query, "version"), read_moment(query, "at")
    if version is not None and at is not None:
        raise RequestValidationError([{"loc": ("query", "at"), "msg": "cannot be asked for together with version"}])
    if at is not None:
        found = await service.as_of(key, at)
    else:
        assert version is not None, "one of the two is asked for"
        found = await service.version(key, version)
    headers = {"Cache-Status": "aside; fwd=bypass; detail=history"}
    if found is None:
        return Answer(Outcome.BYPASS, 0, None, 0), headers
    return Answer(Outcome.BYPASS, found.version, found.document, found.modified_at_ms), headers


async def list_versions(request: Request, key: ParameterKey) -> Response:
    query = request.query_params
    limit, below = read_limit(query), read_version(query, "cursor") or NEWEST
    page = await parameters_of(request).versions(key, below=below, limit=limit)
    cursor = None if page.next_version is None else str(page.next_version)
    path = f"{parameter_location(key)}/versions"
    return page_response(request, "versions", page.documents, path, limit=limit, cursor=cursor)


async def roll_back(request: Request, key: ParameterKey) -> Response:
    limits, query = limits_of(request), request.query_params
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    change_type, authorship = read_flag(query, "change_type"), read_authorship(request)
    repeat_key = read_key(request.headers)
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth)
    version = _read_rollback(body)
    written = await parameters_of(request).rollback(
        key, version, condition=condition, authorship=authorship, change_type=change_type, wait=wait,
        repeatable=repeatable(request, repeat_key, body),
    )  # fmt: skip
    return written_response(written, parameter_location(key), waited=wait)


def _read_rollback(body: bytes) -> int:
    match parse_exact(body.decode()):
        case {"version": Numeral(text=text), **others} if not others and _WHOLE.fullmatch(text):
            return min(int(text.partition(".")[0]), NEWEST)
        case {"version": _, **others} if others:
            raise InvalidParameterError.at(Fault("", "must have `version` and nothing else"))
        case _:
            raise InvalidParameterError.at(Fault("/version", "must be the number of a version"))


async def read_difference(request: Request, key: ParameterKey) -> Response:
    query = request.query_params
    before, after = read_version(query, "from"), read_version(query, "to")
    if before is None:
        raise RequestValidationError([{"loc": ("query", "from"), "msg": "is missing: the version to start from"}])
    patch = await parameters_of(request).difference(key, before, after)
    return Response(render_exact(patch).encode(), headers={"Cache-Control": "no-cache"}, media_type=JSON_PATCH)
