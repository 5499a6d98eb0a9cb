"""The routes of caching policies: read the request whole, ask the service once, answer. No answer is stored."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import policy_operations as operations
from service.api.answers import JSON, etag
from service.api.authorship import read_authorship
from service.api.bodies import is_document_type, read_body
from service.api.conditions import write_condition
from service.api.guarding import GuardedRoute, may
from service.api.names import EntityType
from service.api.policy_documents import all_documents, policy_document, rehearsal_document, version_document
from service.api.queries import read_flag, read_limit, read_version
from service.api.state import Limits, limits_of, policies_of
from service.domain.document import check_document
from service.domain.scopes import Verb
from service.services.policies import StatedPolicy

POLICIES_PATH = "/v1/cache/policies"
POLICY_PATH = POLICIES_PATH + "/{entity_type:entity_type}"
_NEWEST = 2**63 - 1


def policies_router(limits: Limits) -> APIRouter:
    """All routes of policies; ``limits`` go into their documentation."""
    router = APIRouter(tags=["cache"], route_class=GuardedRoute)
    router.add_api_route(POLICIES_PATH, list_policies, methods=["GET"], **operations.list_all())
    router.add_api_route(POLICY_PATH, read_policy, methods=["GET"], **operations.read())
    router.add_api_route(POLICY_PATH, put_policy, methods=["PUT"], **operations.put(limits))
    router.add_api_route(POLICY_PATH, remove_policy, methods=["DELETE"], **operations.remove())
    router.add_api_route(f"{POLICY_PATH}/versions", list_versions, methods=["GET"], **operations.versions())
    return router


async def list_policies(request: Request) -> Response:
    policies = policies_of(request)
    await policies.catch_up()
    return _answer(all_documents(policies, lambda entity_type: may(request, Verb.OBSERVE, [entity_type])))


async def read_policy(request: Request, entity_type: EntityType) -> Response:
    policies = policies_of(request)
    await policies.catch_up()
    return _policy(policies.stated(entity_type))


async def put_policy(request: Request, entity_type: EntityType) -> Response:
    limits, policies = limits_of(request), policies_of(request)
    condition, authorship = write_condition(request.headers), read_authorship(request)
    dry_run = read_flag(request.query_params, "dry_run")
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth)
    policy = policies.read(body.decode(), entity_type)
    if dry_run:
        return _answer(rehearsal_document(await policies.rehearse_put(entity_type, policy, condition=condition)))
    return _policy(await policies.put(entity_type, policy, condition=condition, authorship=authorship))


async def remove_policy(request: Request, entity_type: EntityType) -> Response:
    policies = policies_of(request)
    condition, authorship = write_condition(request.headers), read_authorship(request)
    if read_flag(request.query_params, "dry_run"):
        return _answer(rehearsal_document(await policies.rehearse_remove(entity_type, condition=condition)))
    await policies.remove(entity_type, condition=condition, authorship=authorship)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def list_versions(request: Request, entity_type: EntityType) -> Response:
    limit, below = read_limit(request.query_params), read_version(request.query_params, "cursor") or _NEWEST
    found = await policies_of(request).versions(entity_type, below=below, limit=limit + 1)
    shown = found[:limit]
    cursor = str(shown[-1].version) if len(found) > limit else None
    return _answer({"versions": [version_document(each) for each in shown], "next_cursor": cursor})


def _policy(stated: StatedPolicy) -> Response:
    """With its version as ETag, where it is a stored one."""
    return _answer(policy_document(stated), **({} if stated.version is None else {"ETag": etag(stated.version)}))


def _answer(document: dict[str, Any], **headers: str) -> Response:
    return Response(json.dumps(document).encode(), headers={"Cache-Control": "no-store", **headers}, media_type=JSON)
