"""How the routes of many entities stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.answers import JSON
from service.api.documentation import CACHE_CONTROL, MIN_VERSION, REQUEST_ID, Fragment, headers, operation, problem
from service.api.schemas import ref
from service.api.state import Limits

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
