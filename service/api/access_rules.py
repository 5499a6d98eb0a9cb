"""What each route asks of a key: the one table of routes and verbs. A route that does not stand here is not served.

A change that answers with what was stored before asks for both verbs, or a key that may only write could read by it.
"""

from __future__ import annotations

from typing import NamedTuple

from service.domain.parameter import PARAMETER
from service.domain.scopes import Of, Verb

Place = tuple[str, str]
"""A method and the template of a path."""


class Rule(NamedTuple):
    """``on``: a type, or how much; None: the type that the path names. Without verbs anybody may ask."""

    verbs: tuple[Verb, ...]
    on: str | Of | None


OPEN = Rule((), Of.SOMETHING)
_READS, _WRITES = Rule((Verb.READ,), None), Rule((Verb.WRITE,), None)
_PATCHES = Rule((Verb.WRITE, Verb.READ), None)
_READS_PARAMETERS, _WRITES_PARAMETERS = Rule((Verb.READ,), PARAMETER), Rule((Verb.WRITE, Verb.READ), PARAMETER)
_OBSERVES_ALL, _OBSERVES = Rule((Verb.OBSERVE,), Of.EVERYTHING), Rule((Verb.OBSERVE,), None)
_READS_SOME, _WRITES_SOME = Rule((Verb.READ,), Of.SOMETHING), Rule((Verb.WRITE,), Of.SOMETHING)
_OBSERVES_SOME, _STEERS_SOME = Rule((Verb.OBSERVE,), Of.SOMETHING), Rule((Verb.STEER,), Of.SOMETHING)
_STEERS = Rule((Verb.STEER,), None)
ADMINISTERS = Rule((Verb.ADMIN,), Of.EVERYTHING)

_ENTITY, _ENTITIES = "/v1/entities/{entity_type}/{id}", "/v1/entities/{entity_type}"
_PARAMETER, _PARAMETERS = "/v1/parameters/{key}", "/v1/parameters"
_POLICY = "/v1/cache/policies/{entity_type}"

RULES: dict[Place, Rule] = {
    ("GET", _ENTITY): _READS,
    ("HEAD", _ENTITY): _READS,
    ("PUT", _ENTITY): _WRITES,
    ("PATCH", _ENTITY): _PATCHES,
    ("DELETE", _ENTITY): _WRITES,
    ("GET", _ENTITIES): _READS,
    ("POST", f"{_ENTITIES}/batch-read"): _READS,
    # Of which types is in the body: the route asks for each of them when it has read it.
    ("POST", "/v1/batch-write"): _WRITES_SOME,
    # What is told is of those types that the key may read.
    ("GET", "/v1/changes"): _READS_SOME,
    ("GET", "/v1/changes/stream"): _READS_SOME,
    ("GET", _PARAMETER): _READS_PARAMETERS,
    ("HEAD", _PARAMETER): _READS_PARAMETERS,
    ("PUT", _PARAMETER): _WRITES_PARAMETERS,
    ("DELETE", _PARAMETER): _WRITES_PARAMETERS,
    ("GET", f"{_PARAMETER}/value"): _READS_PARAMETERS,
    ("HEAD", f"{_PARAMETER}/value"): _READS_PARAMETERS,
    ("PUT", f"{_PARAMETER}/value"): _WRITES_PARAMETERS,
    ("GET", f"{_PARAMETER}/versions"): _READS_PARAMETERS,
    ("POST", f"{_PARAMETER}/rollback"): _WRITES_PARAMETERS,
    ("GET", f"{_PARAMETER}/diff"): _READS_PARAMETERS,
    ("GET", _PARAMETERS): _READS_PARAMETERS,
    ("POST", f"{_PARAMETERS}/batch-read"): _READS_PARAMETERS,
    ("GET", "/v1/cache/stats"): _OBSERVES_ALL,
    ("GET", "/v1/cache/history"): _OBSERVES_ALL,
    ("GET", "/v1/cache/entries/{entity_type}/{id}"): _OBSERVES,
    ("GET", "/v1/cache/hot"): _OBSERVES_SOME,
    ("GET", "/v1/cache/policies"): _OBSERVES_SOME,
    ("GET", _POLICY): _OBSERVES,
    ("GET", f"{_POLICY}/versions"): _OBSERVES,
    ("PUT", _POLICY): _STEERS,
    ("DELETE", _POLICY): _STEERS,
    ("POST", "/v1/cache/warm"): _STEERS_SOME,
    ("POST", "/v1/cache/purge"): _STEERS_SOME,
    ("GET", "/v1/cache/jobs"): _OBSERVES_SOME,
    ("GET", "/v1/cache/jobs/{id}"): _OBSERVES_SOME,
    ("DELETE", "/v1/cache/jobs/{id}"): _STEERS_SOME,
    ("GET", "/v1/keys"): ADMINISTERS,
    ("POST", "/v1/keys"): ADMINISTERS,
    ("GET", "/v1/keys/{id}"): ADMINISTERS,
    ("DELETE", "/v1/keys/{id}"): ADMINISTERS,
    ("POST", "/v1/keys/{id}/rotate"): ADMINISTERS,
    ("GET", "/metrics"): _OBSERVES_ALL,
    ("GET", "/livez"): OPEN,
    ("GET", "/readyz"): OPEN,
    # Pages without data: what they show, they ask for with the key of whoever looks at them.
    ("GET", "/docs"): OPEN,
    ("GET", "/redoc"): OPEN,
    ("GET", "/openapi.json"): OPEN,
    ("HEAD", "/openapi.json"): OPEN,
    ("GET", "/docs/assets"): OPEN,
    ("GET", "/dashboard"): OPEN,
    ("GET", "/dashboard/"): OPEN,
    ("GET", "/dashboard/assets"): OPEN,
}

_FOR_OPERATORS = ("/metrics", "/docs", "/redoc", "/openapi.json", "/dashboard", "/v1/cache", "/v1/keys")


def is_for_operators(path: str) -> bool:
    """Whether a path, or the template of one, moves to the port of operators where there is one."""
    return any(path == each or path.startswith(f"{each}/") for each in _FOR_OPERATORS)


PLACES_FOR_OPERATORS = [place for place in RULES if is_for_operators(place[1])]
