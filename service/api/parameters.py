"""The routes of single parameters, and the router of them all: read the request whole, ask the service once, answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import parameter_history, parameter_lists, parameter_operations
from service.api.answers import JSON, deleted_response, entity_response, etag, provenance, written_response
from service.api.authorship import read_authorship
from service.api.bodies import is_document_type, read_body
from service.api.conditions import read_condition, write_condition
from service.api.directives import read_wish, wants_no_waiting
from service.api.guarding import GuardedRoute
from service.api.parameter_history import read_recorded, wants_history
from service.api.parameter_names import PARAMETER_PATH, ParameterKey, parameter_location
from service.api.problem_kinds import BY_ERROR
from service.api.problems import problem_response
from service.api.queries import read_flag
from service.api.repeats import read_key, repeatable
from service.api.state import Limits, limits_of, parameters_of
from service.domain.document import check_document
from service.domain.exact_json import Numeral, render_exact
from service.domain.parameter import read_content, value_text
from service.errors import NotFoundError, PreconditionFailedError
from service.services.parameters import Rehearsal


def parameters_router(limits: Limits) -> APIRouter:
    """All routes of parameters; ``limits`` go into their documentation."""
    router = APIRouter(tags=["parameters"], route_class=GuardedRoute)
    parameter_lists.add_routes(router, limits)
    value_path = f"{PARAMETER_PATH}/value"
    router.add_api_route(PARAMETER_PATH, read_parameter, methods=["GET"], **parameter_operations.read())
    router.add_api_route(PARAMETER_PATH, read_parameter, methods=["HEAD"], **parameter_operations.head())
    router.add_api_route(PARAMETER_PATH, put_parameter, methods=["PUT"], **parameter_operations.put(limits))
    router.add_api_route(PARAMETER_PATH, delete_parameter, methods=["DELETE"], **parameter_operations.delete())
    router.add_api_route(value_path, read_value, methods=["GET"], **parameter_operations.read_value())
    router.add_api_route(value_path, read_value, methods=["HEAD"], **parameter_operations.head_value())
    router.add_api_route(value_path, put_value, methods=["PUT"], **parameter_operations.put_value(limits))
    parameter_history.add_routes(router, limits)
    return router


async def read_parameter(request: Request, key: ParameterKey) -> Response:
    return await _read(request, key, bare=False)


async def read_value(request: Request, key: ParameterKey) -> Response:
    return await _read(request, key, bare=True)


async def _read(request: Request, key: str, *, bare: bool) -> Response:
    condition, wish = read_condition(request.headers), read_wish(request.headers)
    if wants_history(request):
        answer, headers = await read_recorded(request, key)
    else:
        answer = await parameters_of(request).get(key, wish)
        headers = provenance(answer)
    if answer.body is None:
        detail = f"there is no parameter {key}"
        return problem_response(request, BY_ERROR[NotFoundError], detail=detail, headers=headers)
    if condition.fails_for(answer.version):
        raise PreconditionFailedError(f"the version is {etag(answer.version)}", current_version=answer.version)
    return entity_response(answer, value_text(answer.body) if bare else answer.body, condition, headers)


async def put_parameter(request: Request, key: ParameterKey) -> Response:
    limits, query, service = limits_of(request), request.query_params, parameters_of(request)
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    dry_run, change_type = read_flag(query, "dry_run"), read_flag(query, "change_type")
    authorship, repeat_key = read_authorship(request), read_key(request.headers)
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth)
    content = read_content(body.decode(), key=key, ttl_seconds_max=limits.ttl_seconds)
    if dry_run:
        return _rehearsed(await service.rehearse_put(key, content, condition=condition, change_type=change_type))
    written = await service.put(
        key, content, condition=condition, authorship=authorship, change_type=change_type, wait=wait,
        repeatable=repeatable(request, repeat_key, body),
    )  # fmt: skip
    return written_response(written, parameter_location(key), waited=wait)


async def put_value(request: Request, key: ParameterKey) -> Response:
    limits = limits_of(request)
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    authorship, repeat_key = read_authorship(request), read_key(request.headers)
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth)
    written = await parameters_of(request).put_value(
        key, body.decode(), condition=condition, authorship=authorship, wait=wait,
        repeatable=repeatable(request, repeat_key, body),
    )  # fmt: skip
    return written_response(written, parameter_location(key), waited=wait)


async def delete_parameter(request: Request, key: ParameterKey) -> Response:
    service = parameters_of(request)
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    authorship, repeat_key = read_authorship(request), read_key(request.headers)
    if read_flag(request.query_params, "dry_run"):
        return _rehearsed(await service.rehearse_delete(key, condition=condition))
    written = await service.delete(
        key, condition=condition, authorship=authorship, wait=wait, repeatable=repeatable(request, repeat_key)
    )
    return deleted_response(written, waited=wait)


def _rehearsed(rehearsal: Rehearsal) -> Response:
    version = None if rehearsal.version is None else Numeral(str(rehearsal.version))
    members = {"would": rehearsal.would, "version": version, "patch": rehearsal.patch}
    return Response(render_exact(members).encode(), headers={"Cache-Control": "no-store"}, media_type=JSON)
