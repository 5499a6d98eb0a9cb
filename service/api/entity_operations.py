"""How the routes of single entities stand in the OpenAPI document: every parameter, status and header they can have."""

from __future__ import annotations

from typing import Any

from service.api.answers import JSON
from service.api.bodies import MERGE_PATCH
from service.api.documentation import (
    CACHE_CONTROL,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH_READ,
    IF_NONE_MATCH_WRITE,
    MIN_VERSION,
    PREFER,
    REQUEST_ID,
    Fragment,
    headers,
    operation,
    problem,
    ttl_parameter,
)
from service.api.state import Limits

_COUNTRY = {
    "name": "Japan",
    "official_name": "Japan",
    "alpha_2": "JP",
    "alpha_3": "JPN",
    "numeric": "392",
    "flag": "🇯🇵",
}
_ANY_JSON: Fragment = {"description": "any JSON value"}
_PROVENANCE = ("Cache-Status", "Server-Timing", "Age")
_READ_HEADERS = ("ETag", "Last-Modified", "Cache-Control", *_PROVENANCE)
_DONE_HEADERS = ("Aside-Cache", "Preference-Applied", "Idempotency-Replayed")
_WRITE_HEADERS = ("ETag", "Last-Modified", "Content-Location", *_DONE_HEADERS)
_READ_PARAMETERS = [IF_NONE_MATCH_READ, IF_MODIFIED_SINCE, IF_MATCH, CACHE_CONTROL, MIN_VERSION, REQUEST_ID]
_WRITE_PARAMETERS = [IF_MATCH, IF_NONE_MATCH_WRITE, IDEMPOTENCY_KEY, PREFER, REQUEST_ID]

_READ_TEXT = """Answers with the document as it is stored, out of the cache where it is known to be true, otherwise out
of PostgreSQL. `Cache-Status` tells which, and why; `ETag` is the version."""


def read() -> dict[str, Any]:
    return operation(
        "readEntity",
        "Read an entity",
        description=_READ_TEXT,
        parameters=_READ_PARAMETERS,
        responses=_read_responses(has_body=True),
    )


def head() -> dict[str, Any]:
    text = "The same headers as for GET, `Content-Length` included, and no body."
    return operation(
        "headEntity",
        "Read an entity's headers",
        description=text,
        parameters=_READ_PARAMETERS,
        responses=_read_responses(has_body=False),
    )


def put(limits: Limits) -> dict[str, Any]:
    text = f"""Stores the body, up to {limits.body_bytes} bytes of any JSON, and answers with the document as it is
stored. Refused are names given twice, NaN and Infinity, U+0000, half surrogate pairs, more than {limits.json_depth}
levels, and numbers that PostgreSQL cannot keep."""
    stored = _document(*_WRITE_HEADERS)
    responses = {
        200: {"description": "Replaced", **stored},
        201: {"description": "Created", **_document(*_WRITE_HEADERS, "Location")},
        413: problem("The body is too large"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        **_write_problems(),
    }
    parameters = [*_WRITE_PARAMETERS, ttl_parameter(limits.ttl_seconds)]
    return operation(
        "putEntity",
        "Create or replace an entity",
        description=text,
        parameters=parameters,
        responses=responses,
        body=_put_body(),
    )


def patch(limits: Limits) -> dict[str, Any]:
    text = """Merges the body into the document (RFC 7396): members are set, `null` removes them, anything but an object
replaces the whole. Read, merged, checked and stored in one transaction."""
    responses = {
        200: {"description": "Changed", **_document(*_WRITE_HEADERS)},
        404: problem("There is no such entity"),
        413: problem("The body, or the document it would make, is too large"),
        415: problem("The body is not a merge patch, or encoded", "Accept-Patch", "Accept-Encoding"),
        **_write_problems(),
    }
    parameters = [*_WRITE_PARAMETERS, ttl_parameter(limits.ttl_seconds)]
    return operation(
        "patchEntity",
        "Change parts of an entity",
        description=text,
        parameters=parameters,
        responses=responses,
        body=_patch_body(),
    )


def delete() -> dict[str, Any]:
    text = "Removes the entity. Its version lives on: if it is created again, it gets a higher one."
    responses = {
        204: {"description": "Deleted", "headers": headers(*_DONE_HEADERS)},
        404: problem("There is no such entity"),
        **_write_problems(),
    }
    return operation(
        "deleteEntity", "Delete an entity", description=text, parameters=_WRITE_PARAMETERS, responses=responses
    )


def _document(*header_names: str, has_body: bool = True) -> Fragment:
    fragment: Fragment = {"headers": headers(*header_names)}
    if has_body:
        fragment["content"] = {JSON: {"schema": _ANY_JSON, "example": _COUNTRY}}
    return fragment


def _read_responses(*, has_body: bool) -> dict[int, Fragment]:
    def refused(description: str, *header_names: str) -> Fragment:
        return problem(description, *header_names, has_body=has_body)

    return {
        200: {"description": "The document", **_document(*_READ_HEADERS, has_body=has_body)},
        304: {"description": "The reader has it", "headers": headers(*_READ_HEADERS)},
        400: refused("A header cannot be understood"),
        404: refused("There is no such entity", *_PROVENANCE),
        412: refused("If-Match does not hold", "ETag"),
        422: refused("The entity's name is not valid"),
        500: refused("Something went wrong inside the service"),
        503: refused("PostgreSQL cannot answer, or is busy", "Retry-After"),
        504: refused("`only-if-cached`, and the cache has no answer"),
    }


def _write_problems() -> dict[int, Fragment]:
    return {
        400: problem("A header cannot be understood, or the body is not valid JSON"),
        405: problem("Entities of this type are written elsewhere: parameters at /v1/parameters", "Allow"),
        409: problem("A request with this Idempotency-Key is under way"),
        412: problem("If-Match or If-None-Match does not hold", "ETag"),
        422: problem(
            "The name or a parameter is not valid, or the document cannot be stored; or the Idempotency-Key stands for "
            "another request"
        ),
        500: problem("Something went wrong inside the service"),
        503: problem(
            "PostgreSQL cannot answer, or is busy; `write-outcome-unknown`: look before repeating", "Retry-After"
        ),
    }


def _put_body() -> Fragment:
    examples = {
        "country": {"summary": "An object", "value": _COUNTRY},
        "list": {"summary": "A list", "value": [1, 2, 3]},
        "text": {"summary": "A string", "value": "any JSON value is a document"},
    }
    return {"required": True, "content": {JSON: {"schema": _ANY_JSON, "examples": examples}}}


def _patch_body() -> Fragment:
    examples = {
        "set": {"summary": "Set a member", "value": {"capital": "Tokyo"}},
        "remove": {"summary": "Remove a member", "value": {"capital": None}},
    }
    content: Fragment = {"schema": _ANY_JSON, "examples": examples}
    return {"required": True, "content": {MERGE_PATCH: content, JSON: content}}
