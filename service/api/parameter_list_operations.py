"""How the routes of many parameters stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.documentation import (
    CACHE_CONTROL,
    LIMIT,
    MIN_VERSION,
    REQUEST_ID,
    operation,
    problem,
    query_parameter,
)
from service.api.page_documentation import IF_NONE_MATCH_PAGE, page_answers
from service.api.parameter_documentation import answer, body_of, server_problems
from service.api.parameter_names import EXAMPLE_KEY
from service.api.state import Limits
from service.domain.entity import ENTITY_ID_PATTERN, PREFIX_PATTERN

_PREFIX = query_parameter(
    "prefix", "Only keys that begin so, such as `app:config:`", type="string", pattern=PREFIX_PATTERN
)
_CURSOR = query_parameter("cursor", "The `next_cursor` of the page before", type="string", pattern=ENTITY_ID_PATTERN)


def pages() -> dict[str, Any]:
    text = """Parameters in the order of their keys, read from PostgreSQL. A page begins where the one before ended,
whatever was written meanwhile."""
    responses = {
        **page_answers("Some parameters", "ParameterPage"),
        422: problem("A query parameter is not valid"),
        **server_problems(),
    }
    return operation(
        "listParameters",
        "List parameters",
        description=text,
        parameters=[_PREFIX, LIMIT, _CURSOR, IF_NONE_MATCH_PAGE, REQUEST_ID],
        responses=responses,
    )


def batch(limits: Limits) -> dict[str, Any]:
    text = f"""Up to 1000 parameters at once, out of the cache with one exchange, and with one query for those it does
not know. There is one result for each key, in order: 200 with `version` and `body`, or another status with `problem`.
The body: up to {limits.body_bytes} bytes."""
    responses = {
        200: answer("One result for each key", "ParameterResults", "Cache-Control"),
        400: problem("A header cannot be understood, or the body is not valid JSON"),
        413: problem("The body is too large"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        422: problem("The body does not have the form asked for, or too many keys"),
        **server_problems(),
    }
    return operation(
        "batchReadParameters",
        "Read many parameters",
        description=text,
        parameters=[CACHE_CONTROL, MIN_VERSION, REQUEST_ID],
        responses=responses,
        body=body_of("ParameterKeys", two={"keys": [EXAMPLE_KEY, "app:config:unknown"]}),
    )
