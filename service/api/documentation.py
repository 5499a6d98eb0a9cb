"""The words that the operations' documentation shares: headers, parameters, problems. Data for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from service.api.directives import VERSION_MAX
from service.api.problems import MEDIA_TYPE

Fragment = dict[str, Any]
"""A piece of an OpenAPI document."""

_TAG = r'(W/)?"[!#-~]*"'
_PRINTABLE = r"^[ -~]*$"
TAG_LIST = rf"^({_TAG}([ \t]*,[ \t]*{_TAG})*|\*)$"


def _header(description: str, example: object, **schema: Any) -> Fragment:
    return {"description": description, "schema": {"type": "string", **schema}, "example": example}


HEADERS: dict[str, Fragment] = {
    "X-Request-Id": _header("The client's own id of this request, or a new one", "0b5e7c0c4f1d4a6f9d2e8a31"),
    "ETag": _header("The version, as a strong entity tag", '"7"', pattern='^"[1-9][0-9]*"$'),
    "PageTag": _header(
        "Names what this page says; no version", '"3f1c0b9e5d7a48c2b6e1f09d8a7c55"', pattern='^"[0-9a-f]{30}"$'
    ),
    "Last-Modified": _header("When this version was written", "Fri, 20 Nov 2026 08:00:00 GMT"),
    "Cache-Control": _header("`no-cache`: ask again before each use; on a problem `no-store`", "no-cache"),
    "Age": _header(
        "Seconds since the value was last known to be true; only where the cache answered", 13, type="integer"
    ),
    "Cache-Status": _header("How the cache handled it (RFC 9211)", "aside; hit; ttl=287"),
    "Server-Timing": _header(
        "Milliseconds spent waiting for the cache and the database", "cache;dur=0.41, db;dur=1.90"
    ),
    "Aside-Cache": _header(
        "`applied`: the cache knows this write; `deferred`: it will before it is used again",
        "applied",
        enum=["applied", "deferred"],
    ),
    "Preference-Applied": _header("`respond-async`, where the write was asked not to wait", "respond-async"),
    "Idempotency-Replayed": _header(
        "`true`: an earlier request with this Idempotency-Key has done it, and was answered so", "true", enum=["true"]
    ),
    "Location": _header("The path of the entity that was created", "/v1/entities/country/JP"),
    "Content-Location": _header("The path whose content the body is", "/v1/entities/country/JP"),
    "Retry-After": _header("Seconds after which another attempt may succeed", 1, type="integer"),
    "RateLimit": _header(
        "What is left, and when there is more (draft-ietf-httpapi-ratelimit-headers-10)", '"client";r=0;t=1'
    ),
    "RateLimit-Policy": _header("How many requests are allowed in how many seconds", '"client";q=200;w=2'),
    "Link": _header('Where the next page is: `rel="next"`', '</v1/parameters?limit=100&cursor=b>; rel="next"'),
    "X-Accel-Buffering": _header("`no`: a proxy is to pass each event on at once", "no"),
    "WWW-Authenticate": _header("How to say who asks (RFC 6750)", "Bearer"),
    "Allow": _header("The methods that are allowed", "GET, HEAD"),
    "Accept": _header("The types that are taken", "application/json"),
    "Accept-Patch": _header("The patch types that are taken", "application/merge-patch+json, application/json"),
    "Accept-Encoding": _header("The encodings that are taken", "identity"),
}


def headers(*names: str) -> dict[str, Fragment]:
    """References to some of `HEADERS`; the request's id is in every answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}


def problem(description: str, *header_names: str, has_body: bool = True) -> Fragment:
    """An answer that is a problem; an answer to HEAD has only its headers."""
    fragment: Fragment = {"description": description, "headers": headers("Cache-Control", *header_names)}
    if has_body:
        fragment["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return fragment


def header_parameter(name: str, description: str, **schema: Any) -> Fragment:
    # None has an example: Swagger UI would send it with every request.
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


REQUEST_ID = header_parameter("X-Request-Id", "An id for this request; one of other characters is replaced")
IF_MATCH = header_parameter(
    "If-Match", 'Only if the entity exists in one of these versions, such as `"7"`; `*`: in any', pattern=TAG_LIST
)
IF_NONE_MATCH_READ = header_parameter(
    "If-None-Match", "Only if the version is none of these; otherwise 304", pattern=TAG_LIST
)
IF_NONE_MATCH_WRITE = header_parameter("If-None-Match", "`*`: only if there is no such entity", pattern=r"^\*$")
IF_MODIFIED_SINCE = header_parameter(
    "If-Modified-Since", "Only if it was not written before the second this names; otherwise 304. Prefer If-None-Match"
)
CACHE_CONTROL = header_parameter(
    "Cache-Control",
    "`no-cache`: read PostgreSQL. `only-if-cached`: 504 rather than read it. `max-age=N`: nothing that was last known "
    "to be true more than N seconds ago. `stale-if-error=N`: if PostgreSQL cannot answer, a value up to N seconds past "
    "its freshness",
)
MIN_VERSION = {
    **header_parameter("Aside-Min-Version", "Nothing older than this version: read your own write"),
    "schema": {"type": "integer", "minimum": 0, "maximum": VERSION_MAX},
}
IDEMPOTENCY_KEY = header_parameter(
    "Idempotency-Key",
    "A new string for each write, the same for each attempt at it (draft-ietf-httpapi-idempotency-key-header-07), such "
    'as `"8e03978e-40d5-43dd-bc93-6894a57f9324"`: it is done once, and each attempt gets the first one\'s answer',
    pattern=r'^"([ !#-\[\]-~]|\\["\\]){1,255}"$',
)
PREFER = header_parameter("Prefer", "`respond-async`: do not wait for a cache that cannot be reached")


ACTOR = {
    **header_parameter("Aside-Actor", "Who writes; kept in the history. Beyond ASCII: as %-encoded UTF-8"),
    "schema": {"type": "string", "maxLength": 200, "pattern": _PRINTABLE},
}
REASON = {
    **header_parameter("Aside-Reason", "Why; kept in the history. Beyond ASCII: as %-encoded UTF-8"),
    "schema": {"type": "string", "maxLength": 1000, "pattern": _PRINTABLE},
}


def query_parameter(name: str, description: str, *, required: object = None, **schema: Any) -> Fragment:
    """``required``: it must be given, and this is an example."""
    # An optional one has no example: Swagger UI would send it with every request.
    parameter: Fragment = {"name": name, "in": "query", "description": description, "schema": schema}
    return parameter if required is None else {**parameter, "required": True, "example": required}


def version_parameter(name: str, description: str, *, required: object = None) -> Fragment:
    return query_parameter(name, description, required=required, type="integer", minimum=1, maximum=VERSION_MAX)


LIMIT = query_parameter("limit", "How many at most; 100 if not given", type="integer", minimum=1, maximum=1000)


def operation(
    operation_id: str,
    summary: str,
    *,
    description: str,
    parameters: list[Fragment],
    responses: dict[int, Fragment],
    body: Fragment | None = None,
) -> dict[str, Any]:
    """Keyword arguments for `add_api_route`."""
    extra: Fragment = {"parameters": parameters}
    if body is not None:
        extra["requestBody"] = body
    return {
        "operation_id": operation_id,
        "summary": summary,
        "description": description,
        "status_code": min(responses),
        "response_class": Response,
        "responses": dict(sorted(responses.items())),
        "openapi_extra": extra,
    }


def ttl_parameter(longest_seconds: float) -> Fragment:
    return {
        "name": "ttl_seconds",
        "in": "query",
        "description": "How long this entity may be cached, instead of what the policy of its type says",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": longest_seconds},
    }
