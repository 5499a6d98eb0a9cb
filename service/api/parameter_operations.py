"""How the routes of single parameters stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.answers import JSON
from service.api.documentation import (
    ACTOR,
    CACHE_CONTROL,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH_READ,
    IF_NONE_MATCH_WRITE,
    MIN_VERSION,
    PREFER,
    REASON,
    REQUEST_ID,
    Fragment,
    headers,
    operation,
    problem,
    query_parameter,
    version_parameter,
)
from service.api.parameter_documentation import (
    CHANGE_TYPE,
    CONTENT,
    DONE_HEADERS,
    DRY_RUN,
    PARAMETER,
    READ_HEADERS,
    READ_ORIGIN,
    WRITE_HEADERS,
    answer,
    body_of,
    write_problems,
)
from service.api.schemas import ref
from service.api.state import Limits

_VERSION = version_parameter("version", "As it was in this version, not together with `at`; never out of the cache")
_AT = query_parameter(
    "at",
    "As it was at this moment (RFC 3339, with an offset), not together with `version`",
    type="string",
    format="date-time",
)
_READ_PARAMETERS = [
    *(_VERSION, _AT, IF_NONE_MATCH_READ, IF_MODIFIED_SINCE, IF_MATCH, CACHE_CONTROL, MIN_VERSION, REQUEST_ID)
]
_WRITE_PARAMETERS = [IF_MATCH, IF_NONE_MATCH_WRITE, IDEMPOTENCY_KEY, ACTOR, REASON, PREFER, REQUEST_ID]

_REHEARSAL = {"would": "update", "version": 7, "patch": [{"op": "replace", "path": "/value", "value": 150}]}
_ANY_VALUE: Fragment = {
    # Every type is named, or Swagger UI takes the value for a text and sends it in quotation marks.
    "type": ["number", "string", "boolean", "object", "array", "null"],
    "items": {},
    "description": "a value of the parameter's type",
}
_HEAD_TEXT = "The same headers as for GET, `Content-Length` included, and no body."


def read() -> dict[str, Any]:
    text = """Answers with the whole parameter, out of the cache where it is known to be true, otherwise out of
PostgreSQL. `Cache-Status` tells which, and why; `ETag` is the version."""
    found = answer("The parameter", "Parameter", *READ_HEADERS, example=PARAMETER)
    return _reading("readParameter", "Read a parameter", text, found)


def head() -> dict[str, Any]:
    found = {"description": "The parameter", "headers": headers(*READ_HEADERS)}
    return _reading("headParameter", "Read a parameter's headers", _HEAD_TEXT, found, has_body=False)


def read_value() -> dict[str, Any]:
    text = "The value alone, as JSON; everything else as for the parameter."
    content: Fragment = {"schema": {"description": "a value of the parameter's type"}, "example": 100}
    found = {"description": "The value", "headers": headers(*READ_HEADERS), "content": {JSON: content}}
    return _reading("readParameterValue", "Read a parameter's bare value", text, found)


def head_value() -> dict[str, Any]:
    found = {"description": "The value", "headers": headers(*READ_HEADERS)}
    return _reading("headParameterValue", "Read the headers of a bare value", _HEAD_TEXT, found, has_body=False)


def put(limits: Limits) -> dict[str, Any]:
    text = f"""Stores the whole parameter: what the body does not say, the parameter no longer has. The value must be of
the very type (`"1"` is no integer, `true` no number, `1.0` no integer), and satisfy the schema, if there is one:
JSON Schema 2020-12, of which nothing is fetched. Up to {limits.body_bytes} bytes. After the answer the next read of
any replica is a hit with the new value."""
    responses = {
        200: {
            "description": "Replaced; or, with `dry_run`, what would have happened",
            "headers": headers(*WRITE_HEADERS, "Cache-Control"),
            "content": {
                JSON: {
                    "schema": {"anyOf": [ref("Parameter"), ref("Rehearsal")]},
                    "examples": {"replaced": {"value": PARAMETER}, "dry_run": {"value": _REHEARSAL}},
                }
            },
        },
        201: answer("Created", "Parameter", *WRITE_HEADERS, "Location", example=PARAMETER),
        **write_problems(),
    }
    body = body_of(
        "ParameterContent",
        integer=CONTENT,
        change_type={"type": "string", "value": "unlimited"},
        duration={"type": "duration", "value": "PT1H30M"},
        datetime={"type": "datetime", "value": "2026-11-20T09:00:00+09:00"},
        json={"type": "json", "value": {"regions": ["eu", "jp"]}, "ttl_seconds": 60},
    )
    return operation(
        "putParameter",
        "Create or replace a parameter",
        description=text,
        parameters=[DRY_RUN, CHANGE_TYPE, *_WRITE_PARAMETERS],
        responses=responses,
        body=body,
    )


def put_value(limits: Limits) -> dict[str, Any]:
    text = f"""Sets the value and nothing else: the type, the description, the schema and the lifetime stay, and the
value is checked against them. Up to {limits.body_bytes} bytes."""
    responses = {
        200: answer("Set", "Parameter", *WRITE_HEADERS, example=PARAMETER),
        404: problem("There is no such parameter"),
        **write_problems(),
    }
    examples = {"integer": {"value": 150}, "duration": {"value": "PT2H"}}
    value: Fragment = {"schema": _ANY_VALUE, "examples": examples}
    return operation(
        "putParameterValue",
        "Set a parameter's value",
        description=text,
        parameters=_WRITE_PARAMETERS,
        responses=responses,
        body={"required": True, "content": {JSON: value}},
    )


def delete() -> dict[str, Any]:
    problems = {status: found for status, found in write_problems().items() if status not in {413, 415}}
    responses = {
        200: answer("With `dry_run`: what would have happened", "Rehearsal", "Cache-Control"),
        204: {"description": "Deleted", "headers": headers(*DONE_HEADERS)},
        404: problem("There is no such parameter"),
        **problems,
        409: problem("A request with this Idempotency-Key is under way"),
    }
    text = "Removes the parameter; its history stays. After the answer the next read of any replica is a negative hit."
    made = operation(
        "deleteParameter",
        "Delete a parameter",
        description=text,
        parameters=[DRY_RUN, *_WRITE_PARAMETERS],
        responses=responses,
    )
    return {**made, "status_code": 204}


def _reading(name: str, summary: str, text: str, found: Fragment, *, has_body: bool = True) -> dict[str, Any]:
    def refused(description: str, *header_names: str) -> Fragment:
        return problem(description, *header_names, has_body=has_body)

    responses = {
        200: found,
        304: {"description": "The reader has it", "headers": headers(*READ_HEADERS)},
        400: refused("A header cannot be understood"),
        404: refused("There is no such parameter, or no such version", *READ_ORIGIN),
        412: refused("If-Match does not hold", "ETag"),
        422: refused("The key or a query parameter is not valid"),
        504: refused("`only-if-cached`, and the cache has no answer"),
        500: refused("Something went wrong inside the service"),
        503: refused("PostgreSQL cannot answer, or is busy", "Retry-After"),
    }
    return operation(name, summary, description=text, parameters=_READ_PARAMETERS, responses=responses)
