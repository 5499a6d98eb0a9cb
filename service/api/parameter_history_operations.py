"""How the routes of what parameters were stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.documentation import (
    ACTOR,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH_WRITE,
    LIMIT,
    PREFER,
    REASON,
    REQUEST_ID,
    Fragment,
    headers,
    operation,
    problem,
    version_parameter,
)
from service.api.page_documentation import IF_NONE_MATCH_PAGE, page_answers
from service.api.parameter_documentation import (
    CHANGE_TYPE,
    PARAMETER,
    WRITE_HEADERS,
    answer,
    body_of,
    server_problems,
    write_problems,
)
from service.api.schemas import ref
from service.api.state import Limits

EXAMPLE_VERSION = 2
"""The one that the example parameter gets in a new database, where the example entity comes first."""

_CURSOR = version_parameter("cursor", "The `next_cursor` of the page before")
_FROM = version_parameter("from", "The version to start from", required=EXAMPLE_VERSION)
_TO = version_parameter("to", "The version to arrive at; the present one if not given")
_NAMELESS = problem("The key or a query parameter is not valid")


def versions() -> dict[str, Any]:
    text = """What the parameter was, newest first: each version with its value, when it was written, by whom, why, and
whether it was created, updated, deleted or rolled back. Superseded versions are kept for a time, the present one
always."""
    responses = {
        **page_answers("Some versions", "ParameterVersionPage"),
        404: problem("No version of such a parameter is known"),
        422: _NAMELESS,
        **server_problems(),
    }
    return operation(
        "listParameterVersions",
        "List a parameter's versions",
        description=text,
        parameters=[LIMIT, _CURSOR, IF_NONE_MATCH_PAGE, REQUEST_ID],
        responses=responses,
    )


def rollback(limits: Limits) -> dict[str, Any]:
    text = f"""Writes what an old version held, all of it, as a new version; also where the parameter has been deleted
since. Up to {limits.body_bytes} bytes."""
    responses = {
        200: answer("Rolled back", "Parameter", *WRITE_HEADERS, example=PARAMETER),
        201: answer("Created again", "Parameter", *WRITE_HEADERS, "Location", example=PARAMETER),
        404: problem("No such version is known"),
        **write_problems(),
    }
    return operation(
        "rollBackParameter",
        "Go back to an old version",
        description=text,
        parameters=[CHANGE_TYPE, IF_MATCH, IF_NONE_MATCH_WRITE, IDEMPOTENCY_KEY, ACTOR, REASON, PREFER, REQUEST_ID],
        responses=responses,
        body=body_of("Rollback", version={"version": EXAMPLE_VERSION}),
    )


def difference() -> dict[str, Any]:
    text = """What happened between two versions, as a JSON Patch (RFC 6902) of what can be set: `type`, `value`,
`description`, `schema`, `ttl_seconds`."""
    example = [{"op": "replace", "path": "/value", "value": 150}]
    content: Fragment = {"schema": {"type": "array", "items": ref("PatchOperation")}, "example": example}
    responses = {
        200: {
            "description": "The difference",
            "headers": headers("Cache-Control"),
            "content": {"application/json-patch+json": content},
        },
        404: problem("No such version is known"),
        422: _NAMELESS,
        **server_problems(),
    }
    return operation(
        "diffParameter",
        "Compare two versions",
        description=text,
        parameters=[_FROM, _TO, REQUEST_ID],
        responses=responses,
    )
