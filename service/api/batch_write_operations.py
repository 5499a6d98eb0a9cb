"""How the route of many writes stands in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.answers import JSON
from service.api.batch_write_forms import WRITES_MAX
from service.api.documentation import (
    IDEMPOTENCY_KEY,
    PREFER,
    REQUEST_ID,
    TAG_LIST,
    Fragment,
    headers,
    operation,
    problem,
    query_parameter,
)
from service.api.names import NOT_RESERVED
from service.api.schemas import NAME, VERSION, list_of, object_of, ref
from service.api.state import Limits
from service.domain.entity import ENTITY_TYPE_PATTERN

_DRY_RUN = query_parameter("dry_run", "Judge every write, and undo them all", type="boolean")
_TYPE: Fragment = {"type": "string", "pattern": ENTITY_TYPE_PATTERN, **NOT_RESERVED}
_ANY_JSON: Fragment = {"description": "any JSON value"}
_IF_MATCH: Fragment = {
    "type": ["string", "null"],
    "pattern": TAG_LIST,
    "description": 'only in one of these versions, such as `"7"`; `*`: in any',
}
_IF_NONE_MATCH: Fragment = {"enum": ["*", None], "description": "`*`: only if there is none; not beside `if_match`"}
_BOTH: Fragment = {
    "properties": {"if_match": {"type": "string"}, "if_none_match": {"const": "*"}},
    "required": ["if_match", "if_none_match"],
}

_WRITES = [
    {"op": "put", "entity_type": "country", "id": "JP", "body": {"name": "Japan", "alpha_2": "JP"}},
    {"op": "put", "entity_type": "country", "id": "NZ", "body": {"name": "New Zealand"}, "ttl_seconds": 60},
]
_CONDITIONS = [
    {"op": "put", "entity_type": "order", "id": "1001", "body": {"item": "tea"}, "if_none_match": "*"},
    {"op": "patch", "entity_type": "country", "id": "JP", "body": {"capital": "Tokyo"}, "if_match": "*"},
    {"op": "delete", "entity_type": "country", "id": "NZ"},
]
_ITEMS = [
    {"entity_type": "country", "id": "JP", "status": 200, "version": 8, "etag": '"8"', "cache": "applied"},
    {"entity_type": "country", "id": "NZ", "status": 201, "version": 9, "etag": '"9"', "cache": "applied"},
]


def batch(limits: Limits) -> dict[str, Any]:
    text = f"""Up to {WRITES_MAX} writes of different entities in one transaction: all are done, or none is. Each is
judged as it would be alone, with `if_match`, `if_none_match` and `ttl_seconds` of its own; if any cannot be done, the
answer is a problem whose `errors` name each of those by its place, with the status that it would have had alone. That
is the status of the whole, too, where they agree, and otherwise 409. The body, as a whole: up to {limits.body_bytes}
bytes. Parameters are written elsewhere."""
    done: Fragment = {"schema": ref("BatchWritten"), "example": {"items": _ITEMS}}
    responses = {
        200: {
            "description": "All were done, or with `dry_run` could have been: one item for each write",
            "headers": headers("Aside-Cache", "Preference-Applied", "Idempotency-Replayed"),
            "content": {JSON: done},
        },
        400: problem("The body is not valid JSON"),
        404: problem("What is to be changed does not exist"),
        409: problem(
            "Some of the writes cannot be done, for different reasons, or are of parameters; or a request with this "
            "Idempotency-Key is under way"
        ),
        412: problem("`if_match` or `if_none_match` does not hold"),
        413: problem("The body is too large, or a document that a patch would make"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        422: problem(
            "The body does not have the form asked for, or a document cannot be stored; or the Idempotency-Key stands "
            "for another request"
        ),
        500: problem("Something went wrong inside the service"),
        503: problem(
            "PostgreSQL cannot answer, or is busy; `write-outcome-unknown`: look before repeating", "Retry-After"
        ),
    }
    examples = {
        "countries": {"summary": "Two documents", "value": {"writes": _WRITES}},
        "conditions": {"summary": "On conditions: a new one, and two that are there", "value": {"writes": _CONDITIONS}},
    }
    return operation(
        "batchWriteEntities",
        "Write many entities, all or none",
        description=text,
        parameters=[_DRY_RUN, IDEMPOTENCY_KEY, PREFER, REQUEST_ID],
        responses=responses,
        body={"required": True, "content": {JSON: {"schema": ref("BatchWrites"), "examples": examples}}},
    )


def batch_write_schemas(longest_ttl_seconds: float) -> dict[str, Fragment]:
    """By name, for `components.schemas`."""
    lifetime = {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": longest_ttl_seconds}
    put = _write("put", "Create or replace", body=_ANY_JSON, if_none_match=_IF_NONE_MATCH, ttl_seconds=lifetime)
    writes: Fragment = {"oneOf": [ref("BatchPut"), ref("BatchPatch"), ref("BatchDelete")]}
    return {
        "BatchWrites": object_of(
            "Writes of different entities", {"writes": list_of(writes, minItems=1, maxItems=WRITES_MAX)}, closed=True
        ),
        "BatchPut": {**put, "not": _BOTH},
        "BatchPatch": _write("patch", "Merge (RFC 7396)", body=_ANY_JSON, ttl_seconds=lifetime),
        "BatchDelete": _write("delete", "Delete"),
        "BatchWritten": object_of("One for each write, in order", {"items": list_of(ref("BatchItem"))}),
        "BatchItem": object_of(
            "`status` as of a single write; after `dry_run` there is no more than that. `etag` not of a deletion",
            {
                "entity_type": {"type": "string"},
                "id": {"type": "string"},
                "status": {"enum": [200, 201, 204]},
                "version": VERSION,
                "etag": {"type": "string"},
                "cache": {"enum": ["applied", "deferred"]},
            },
            optional=("version", "etag", "cache"),
        ),
    }


def _write(op: str, description: str, **members: Fragment) -> Fragment:
    always = {"op": {"const": op}, "entity_type": _TYPE, "id": NAME}
    optional = ("if_match", "if_none_match", "ttl_seconds")
    return object_of(description, {**always, **members, "if_match": _IF_MATCH}, optional=optional, closed=True)
