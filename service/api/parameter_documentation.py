"""What the documentation of all routes of parameters shares."""

from __future__ import annotations

from service.api.answers import JSON
from service.api.documentation import Fragment, headers, problem, query_parameter
from service.api.parameter_names import EXAMPLE_KEY
from service.api.schemas import ref

READ_ORIGIN = ("Cache-Status", "Server-Timing", "Age")
READ_HEADERS = ("ETag", "Last-Modified", "Cache-Control", *READ_ORIGIN)
DONE_HEADERS = ("Aside-Cache", "Preference-Applied", "Idempotency-Replayed")
WRITE_HEADERS = ("ETag", "Last-Modified", "Content-Location", *DONE_HEADERS)

CONTENT = {
    "type": "integer",
    "value": 100,
    "description": "How many users may be active at once",
    "schema": {"minimum": 1, "maximum": 1000},
}
PARAMETER = {
    "key": EXAMPLE_KEY,
    **CONTENT,
    "version": 7,
    "ttl_seconds": None,
    "updated_at": "2026-11-20T08:00:00.123456Z",
    "updated_by": "ann",
}
CHANGE_TYPE = query_parameter("change_type", "`true`: the parameter may get another type than it has", type="boolean")
DRY_RUN = query_parameter(
    "dry_run", "`true`: check everything, answer with the difference, write nothing", type="boolean"
)


def answer(
    description: str, schema: str, *header_names: str, example: object = None, media_type: str = JSON
) -> Fragment:
    """A JSON answer of one of our schemas."""
    content: Fragment = {"schema": ref(schema)}
    if example is not None:
        content["example"] = example
    return {"description": description, "headers": headers(*header_names), "content": {media_type: content}}


def body_of(schema: str, **examples: object) -> Fragment:
    shown = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {JSON: {"schema": ref(schema), "examples": shown}}}


def write_problems() -> dict[int, Fragment]:
    return {
        400: problem("A header cannot be understood, or the body is not valid JSON"),
        409: problem(
            "It has another type, and `change_type` was not asked for; there is nothing to go back to; or a request "
            "with this Idempotency-Key is under way"
        ),
        412: problem("If-Match or If-None-Match does not hold", "ETag"),
        413: problem("The body is too large"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        422: problem(
            "A name, a value or a schema is not valid, or the value violates its schema: `errors` says where; or the "
            "Idempotency-Key stands for another request"
        ),
        **server_problems(),
    }


def server_problems() -> dict[int, Fragment]:
    return {
        500: problem("Something went wrong inside the service"),
        503: problem(
            "PostgreSQL cannot answer, or is busy; `write-outcome-unknown`: look before repeating", "Retry-After"
        ),
    }
