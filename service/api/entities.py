"""The routes of single entities, and the router of them all: read the request whole, ask the service once, answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import batch_writes, entity_lists
from service.api import entity_operations as operations
from service.api.answers import deleted_response, entity_response, etag, provenance, written_response
from service.api.bodies import is_document_type, is_merge_patch_type, read_body
from service.api.conditions import read_condition, write_condition
from service.api.directives import read_ttl, read_wish, wants_no_waiting
from service.api.guarding import GuardedRoute
from service.api.names import ENTITY_PATH, EntityId, EntityType, WritableType, location, register_name_convertors
from service.api.problem_kinds import BY_ERROR
from service.api.problems import problem_response
from service.api.repeats import read_key, repeatable
from service.api.state import Limits, entities_of, limits_of
from service.domain.document import check_document
from service.domain.entity import EntityKey
from service.errors import NotFoundError, PreconditionFailedError


def entities_router(limits: Limits) -> APIRouter:
    """All routes of entities; ``limits`` go into their documentation."""
    register_name_convertors()
    router = APIRouter(tags=["entities"], route_class=GuardedRoute)
    entity_lists.add_routes(router, limits)
    batch_writes.add_routes(router, limits)
    router.add_api_route(ENTITY_PATH, read_entity, methods=["GET"], **operations.read())
    router.add_api_route(ENTITY_PATH, read_entity, methods=["HEAD"], **operations.head())
    router.add_api_route(ENTITY_PATH, put_entity, methods=["PUT"], **operations.put(limits))
    router.add_api_route(ENTITY_PATH, patch_entity, methods=["PATCH"], **operations.patch(limits))
    router.add_api_route(ENTITY_PATH, delete_entity, methods=["DELETE"], **operations.delete())
    return router


async def read_entity(request: Request, entity_type: EntityType, entity_id: EntityId) -> Response:
    condition, wish = read_condition(request.headers), read_wish(request.headers)
    answer = await entities_of(request).get(EntityKey(entity_type, entity_id), wish)
    if answer.body is None:
        detail = f"there is no {entity_type} {entity_id}"
        return problem_response(request, BY_ERROR[NotFoundError], detail=detail, headers=provenance(answer))
    if condition.fails_for(answer.version):
        raise PreconditionFailedError(f"the version is {etag(answer.version)}", current_version=answer.version)
    return entity_response(answer, answer.body, condition)


async def put_entity(request: Request, entity_type: WritableType, entity_id: EntityId) -> Response:
    key, limits = EntityKey(entity_type, entity_id), limits_of(request)
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    repeat_key = read_key(request.headers)
    ttl_seconds = read_ttl(request.query_params, longest_seconds=limits.ttl_seconds)
    document = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(document, max_depth=limits.json_depth)
    written = await entities_of(request).put(
        key, document, condition=condition, ttl_seconds=ttl_seconds, wait=wait,
        repeatable=repeatable(request, repeat_key, document),
    )  # fmt: skip
    return written_response(written, location(key), waited=wait)


async def patch_entity(request: Request, entity_type: WritableType, entity_id: EntityId) -> Response:
    key, limits = EntityKey(entity_type, entity_id), limits_of(request)
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    repeat_key = read_key(request.headers)
    ttl_seconds = read_ttl(request.query_params, longest_seconds=limits.ttl_seconds)
    patch = await read_body(request, is_merge_patch_type, limit_bytes=limits.body_bytes)
    check_document(patch, max_depth=limits.json_depth)
    written = await entities_of(request).patch(
        key, patch, condition=condition, ttl_seconds=ttl_seconds, wait=wait,
        repeatable=repeatable(request, repeat_key, patch),
    )  # fmt: skip
    return written_response(written, location(key), waited=wait)


async def delete_entity(request: Request, entity_type: WritableType, entity_id: EntityId) -> Response:
    condition, wait = write_condition(request.headers), not wants_no_waiting(request.headers)
    written = await entities_of(request).delete(
        EntityKey(entity_type, entity_id), condition=condition, wait=wait,
        repeatable=repeatable(request, read_key(request.headers)),
    )  # fmt: skip
    return deleted_response(written, waited=wait)


ENDPOINTS = {
    "GET": read_entity,
    "HEAD": read_entity,
    "PUT": put_entity,
    "PATCH": patch_entity,
    "DELETE": delete_entity,
}
"""What answers for one entity, by method."""
