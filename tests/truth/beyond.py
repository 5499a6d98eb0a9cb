"""Refusals of requests that a schema allows: what OpenAPI and JSON Schema have no word for. Pure.

Each is told by what was asked and, where the answer has a body, by what the answer says of it: any other refusal of a
request that the document allows is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from service.domain.entity import ENTITY_ID_PATTERN

_VALUE_PROBLEMS = {"/problems/invalid-parameter", "/problems/schema-violation", "/problems/unusable-schema"}


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused, and the problem that it was answered with; an answer to HEAD has none."""

    operation_id: str
    status: int
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None
    retry_after: str | None = None

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Where, and what."""
        errors = (self.problem or {}).get("errors", [])
        return [(each.get("pointer", each.get("parameter", "")), each["detail"]) for each in errors]


def reason_for(refused: Refused) -> str | None:
    """Why the document could not say it; None: it could, and should."""
    return next((reason for reason, is_so in REASONS.items() if is_so(refused)), None)


def _asks_for_two_moments(refused: Refused) -> bool:
    return refused.status == 422 and {"version", "at"} <= set(refused.query)


def _is_signed_illegibly(refused: Refused) -> bool:
    return refused.status == 400 and any(
        name.lower() in {"aside-actor", "aside-reason"} and not _is_legible(str(value))
        for name, value in refused.headers.items()
    )


def _is_legible(sent: str) -> bool:
    try:
        return unquote(sent, errors="strict").isprintable()
    except UnicodeDecodeError:
        return False


def _names_another_than_the_path(refused: Refused) -> bool:
    return any(fault in _OTHER_NAMES for fault in refused.faults)


_OTHER_NAMES = {("/key", "is another key than the path's"), ("/entity_type", "is another type than the path's")}


def _has_a_value_of_another_form(refused: Refused) -> bool:
    is_put = refused.operation_id in {"putParameter", "putParameterValue"}
    is_about_values = (refused.problem or {}).get("type") in _VALUE_PROBLEMS
    return (
        is_put
        and is_about_values
        and {_first_step(place) for place, _ in refused.faults} <= _PLACES[refused.operation_id]
    )


_PLACES = {"putParameter": {"/value", "/schema"}, "putParameterValue": {""}}


def _first_step(pointer: str) -> str:
    return re.match(r"(?:/[^/]*)?", pointer)[0]  # type: ignore[index]


def _lives_longer_than_tombstones(refused: Refused) -> bool:
    return bool(refused.faults) and all(
        place == "/stale_if_error_seconds" and detail.startswith("together with ") for place, detail in refused.faults
    )


def _repeats_an_entity(refused: Refused) -> bool:
    return bool(refused.faults) and all(
        re.fullmatch(r"is of the same entity as /writes/\d+", detail) for _, detail in refused.faults
    )


def _was_given_a_bad_name(refused: Refused) -> bool:
    names = [refused.path[name] for name in ("id", "key") if name in refused.path]
    return refused.status == 422 and any(not re.fullmatch(ENTITY_ID_PATTERN, str(name)) for name in names)


def _stands_for_another_request(refused: Refused) -> bool:
    sent = {name.lower() for name in refused.headers}
    kind = (refused.problem or {}).get("type")
    return refused.status == 422 and "idempotency-key" in sent and kind == "/problems/idempotency-key-reused"


BUSY = "the machine was too busy: an honest 503"
"""Of this at most one request in a hundred, and three in a short run, or the run shows nothing."""
_BUSY_PROBLEMS = {"checks-busy", "database-busy", "database-unavailable", "overloaded", "revocations-unknown"}


def is_busy(refused: Refused) -> bool:
    """Whether a server error is one: the service says that it has no time, and what it has no time for."""
    if refused.status != 503 or refused.retry_after is None:
        return False
    return refused.problem is None or refused.problem["type"].removeprefix("/problems/") in _BUSY_PROBLEMS


REASONS: dict[str, Callable[[Refused], bool]] = {
    "`version` and `at` exclude each other": _asks_for_two_moments,
    "who writes, and why, is text once it is decoded: UTF-8, and printable": _is_signed_illegibly,
    "the name in the body is the path's": _names_another_than_the_path,
    "a value satisfies the type, and the schema, that the body beside it or the stored parameter has": (
        _has_a_value_of_another_form
    ),
    "both lifetimes of a policy together do not exceed that of tombstones": _lives_longer_than_tombstones,
    "no two writes of a batch are of the same entity": _repeats_an_entity,
    "Schemathesis took a name that a batch-read was asked for, and told to be none": _was_given_a_bad_name,
    "an Idempotency-Key stands for one request": _stands_for_another_request,
}
