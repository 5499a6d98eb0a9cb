"""How the routes of many entities stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.answers import JSON
from service.api.documentation import (
    CACHE_CONTROL,
    LIMIT,
    MIN_VERSION,
    REQUEST_ID,
    Fragment,
    headers,
    operation,
    problem,
    query_parameter,
)
from service.api.page_documentation import IF_NONE_MATCH_PAGE, page_answers
from service.api.schemas import ref
from service.api.state import Limits
from service.domain.entity import ENTITY_ID_PATTERN, PREFIX_PATTERN

_PREFIX = query_parameter("prefix", "Only ids that begin so, such as `JP-`", type="string", pattern=PREFIX_PATTERN)
_CURSOR = query_parameter("cursor", "The `next_cursor` of the page before", type="string", pattern=ENTITY_ID_PATTERN)

_PAGE = {
    "entities": [
        {"id": "JP", "version": 7, "updated_at": "2026-11-20T08:00:00.123456Z", "body": {"name": "Japan"}},
        {"id": "NZ", "version": 9, "updated_at": "2026-11-20T08:00:01.654321Z", "body": {"name": "New Zealand"}},
    ],
    "next_cursor": "NZ",
}
_ITEMS = [
    {"id": "JP", "status": 200, "version": 7, "body": {"name": "Japan", "alpha_2": "JP"}},
    {
        "id": "XX",
        "status": 404,
        "problem": {
            "type": "/problems/not-found",
            "title": "There is no such entity",
            "status": 404,
            "detail": "there is no country XX",
            "instance": "/v1/entities/country/XX",
            "request_id": "0b5e7c0c4f1d4a6f9d2e8a31",
        },
    },
]


def pages() -> dict[str, Any]:
    text = """Entities of one type in the order of their ids, read from PostgreSQL. A page begins where the one before
ended, whatever was written meanwhile."""
    responses = {
        **page_answers("Some entities", "EntityPage", example=_PAGE),
        422: problem("The entity type or a query parameter is not valid"),
        **server_problems(),
    }
    return operation(
        "listEntities",
        "List entities",
        description=text,
        parameters=[_PREFIX, LIMIT, _CURSOR, IF_NONE_MATCH_PAGE, REQUEST_ID],
        responses=responses,
    )


def batch(limits: Limits) -> dict[str, Any]:
    text = f"""Up to 1000 entities of one type at once, out of the cache with one exchange, and with one query for those
it does not know. There is one item for each id, in order: 200 with `version` and `body`, or another status with
`problem`. The body: up to {limits.body_bytes} bytes."""
    found: Fragment = {"schema": ref("EntityResults"), "example": {"items": _ITEMS}}
    examples = {"countries": {"summary": "Two that exist, one that does not", "value": {"ids": ["JP", "NZ", "XX"]}}}
    responses = {
        200: {
            "description": "One item for each id",
            "headers": headers("Cache-Control"),
            "content": {JSON: found},
        },
        400: problem("A header cannot be understood, or the body is not valid JSON"),
        413: problem("The body is too large"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        422: problem("The entity type is not valid, or the body does not have the form asked for: `errors` says where"),
        **server_problems(),
    }
    return operation(
        "batchReadEntities",
        "Read many entities",
        description=text,
        parameters=[CACHE_CONTROL, MIN_VERSION, REQUEST_ID],
        responses=responses,
        body={"required": True, "content": {JSON: {"schema": ref("EntityIds"), "examples": examples}}},
    )


def server_problems() -> dict[int, Fragment]:
    return {
        500: problem("Something went wrong inside the service"),
        503: problem("PostgreSQL cannot answer, or is busy", "Retry-After"),
    }
