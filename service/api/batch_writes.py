"""The route of many writes: all of them in one transaction, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import batch_write_operations as operations
from service.api.answers import JSON, etag, settlement
from service.api.batch_write_forms import read_batch, writes_of
from service.api.directives import wants_no_waiting
from service.api.guarding import require
from service.api.problem_kinds import kind_of_batch, kind_of_error
from service.api.problems import problem_response
from service.api.queries import read_flag
from service.api.repeats import read_key, repeatable
from service.api.state import Limits, entities_of, limits_of
from service.cache.entry import Settled
from service.domain.batch import Verb, Write
from service.domain.entity import WrittenRow
from service.domain.scopes import Verb as Scope
from service.errors import BatchRefusedError, PreconditionFailedError, Refusal
from service.services.entities import Written

PATH = "/v1/batch-write"


def add_routes(router: APIRouter, limits: Limits) -> None:
    router.add_api_route(PATH, write_batch, methods=["POST"], **operations.batch(limits))


async def write_batch(request: Request) -> Response:
    wait, dry_run = not wants_no_waiting(request.headers), read_flag(request.query_params, "dry_run")
    repeat_key, limits = read_key(request.headers), limits_of(request)
    body = await read_batch(request, limits)
    writes = writes_of(body, ttl_seconds_max=limits.ttl_seconds)
    require(request, Scope.WRITE, {write.key.entity_type for write in writes})
    require(request, Scope.READ, {write.key.entity_type for write in writes if write.verb is Verb.PATCH})
    try:
        if dry_run:
            return _rehearsed(writes, await entities_of(request).rehearse_batch(writes))
        results = await entities_of(request).write_batch(
            writes, wait=wait, repeatable=repeatable(request, repeat_key, body)
        )
        return _written(writes, results, waited=wait)
    except BatchRefusedError as error:
        faults = [_fault(refusal) for refusal in error.refusals]
        return problem_response(request, kind_of_batch(error), detail=str(error), faults=faults)


def _written(writes: Sequence[Write], results: Sequence[Written], *, waited: bool) -> Response:
    """200, with an item for each write, in order; `Aside-Cache` says the worst of them."""
    items = [_item(write, result.row, result.settled) for write, result in zip(writes, results, strict=True)]
    worst = Settled.APPLIED if all(result.settled is Settled.APPLIED for result in results) else Settled.DEFERRED
    return _answer(items, settlement(worst, waited=waited, is_repeat=results[0].is_repeat))


def _item(write: Write, row: WrittenRow, settled: Settled) -> dict[str, Any]:
    item = {**_named(write), "status": _status(write, row), "version": row.version}
    if write.verb is not Verb.DELETE:  # there is nothing left that it could name
        item["etag"] = etag(row.version)
    return {**item, "cache": settled.value}


def _rehearsed(writes: Sequence[Write], rows: Sequence[WrittenRow]) -> Response:
    return _answer([{**_named(write), "status": _status(write, row)} for write, row in zip(writes, rows, strict=True)])


def _named(write: Write) -> dict[str, Any]:
    return {"entity_type": write.key.entity_type, "id": write.key.id}


def _status(write: Write, row: WrittenRow) -> int:
    """What the single write would have answered."""
    if write.verb is Verb.DELETE:
        return 204
    return 201 if row.created else 200


def _answer(items: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps({"items": items}).encode(), headers=dict(headers or {}), media_type=JSON)


def _fault(refusal: Refusal) -> dict[str, Any]:
    """Which write, and the problem that it would have been answered with alone."""
    kind, error = kind_of_error(refusal.error), refusal.error
    fault = {"pointer": f"/writes/{refusal.place}", "detail": str(error), "status": kind.status, "type": kind.type}
    if isinstance(error, PreconditionFailedError) and error.current_version is not None:
        fault["etag"] = etag(error.current_version)
    return fault
