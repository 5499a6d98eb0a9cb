"""How the routes of policies stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.documentation import (
    ACTOR,
    IF_MATCH,
    IF_NONE_MATCH_WRITE,
    LIMIT,
    REASON,
    REQUEST_ID,
    Fragment,
    headers,
    operation,
    problem,
    version_parameter,
)
from service.api.parameter_documentation import DRY_RUN, answer, body_of, server_problems
from service.api.schemas import ref
from service.api.state import Limits

_CONTENT = {"strategy": "cache_aside", "ttl_seconds": 600, "stale_if_error_seconds": 3600}
_MEMBERS = {
    "strategy": "cache_aside",
    "ttl_seconds": 600,
    "jitter": 0.1,
    "negative_ttl_seconds": 30,
    "stale_if_error_seconds": 3600,
    "early_refresh_beta": 1,
}
_STAMPS = {"version": 3, "updated_at": "2026-11-20T08:00:00.123456Z", "updated_by": "ann"}
_POLICY = {"entity_type": "country", **_MEMBERS, "source": "stored", **_STAMPS}
_DEFAULT = {**_POLICY, "entity_type": None, "stale_if_error_seconds": 0, "source": "default"} | dict.fromkeys(_STAMPS)
_VERSION = {"version": 3, "kind": "set", "at": _STAMPS["updated_at"], "actor": "ann", "reason": None}
_REHEARSAL = {"would": "update", "version": 3, "patch": [{"op": "replace", "path": "/ttl_seconds", "value": 600}]}

_CURSOR = version_parameter("cursor", "The `next_cursor` of the page before")
_WRITING = [DRY_RUN, IF_MATCH, IF_NONE_MATCH_WRITE, ACTOR, REASON, REQUEST_ID]
_NAMELESS = problem("The type or a query parameter is not valid")
_UNREADABLE = problem("A header cannot be understood, or the body is not valid JSON")
_FAILED = problem("If-Match or If-None-Match does not hold", "ETag")

_STRATEGIES = """**`cache_aside`**: a write drops the entry, and the next read loads it. For what is written more often
than it is read, and for large bodies: nothing is put into the cache that nobody asks for.

**`write_through`**: a write puts the new value into the cache, so that the next read of any replica is a hit. For what
is read right after it was written, and for settings. It costs a round trip to Redis before the transaction, for a key
that is not cached.

Neither is ever stale: a write is acknowledged when no cache can answer with anything older."""


def list_all() -> dict[str, Any]:
    text = """The default, and each type that has a policy of its own, out of the settings or stored. PostgreSQL is
asked for changes first; while it is away, this is what the process goes on to obey, and `age_seconds` says since
when."""
    found = answer(
        "The policies", "Policies", "Cache-Control",
        example={"default": _DEFAULT, "policies": [_POLICY], "age_seconds": 0.002},
    )  # fmt: skip
    responses = {200: found, **server_problems()}
    return operation(
        "listPolicies", "List the caching policies", description=text, parameters=[REQUEST_ID], responses=responses
    )


def read() -> dict[str, Any]:
    text = f"""How a type is cached, and who says so. Every type has a policy: the stored one, else that of the
settings, else the default. `ETag` is the version of a stored one.

{_STRATEGIES}"""
    responses = {
        200: answer("The policy", "Policy", "ETag", "Cache-Control", example=_POLICY),
        422: _NAMELESS,
        **server_problems(),
    }
    return operation(
        "readPolicy", "Read a type's caching policy", description=text, parameters=[REQUEST_ID], responses=responses
    )


def put(limits: Limits) -> dict[str, Any]:
    text = f"""Stores how a type is to be cached, as a whole statement: what the body leaves out, the settings say, not
the policy that was stored before. This process obeys it before it answers, every other one within B. `ttl_seconds` and
`stale_if_error_seconds` together must not exceed the time for which tombstones are kept. Up to {limits.body_bytes}
bytes.

Entries that are cached keep the lifetimes that they were given. To have them follow at once, purge the type.

{_STRATEGIES}"""
    content: Fragment = {
        "schema": {"anyOf": [ref("Policy"), ref("Rehearsal")]},
        "examples": {"stored": {"value": _POLICY}, "dry_run": {"value": _REHEARSAL}},
    }
    responses = {
        200: {
            "description": "Stored, and obeyed; or, with `dry_run`, what would have changed",
            "headers": headers("ETag", "Cache-Control"),
            "content": {"application/json": content},
        },
        400: _UNREADABLE,
        412: _FAILED,
        413: problem("The body is too large"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        422: problem("The type is not valid, or a member is unknown or out of its range: `errors` has every fault"),
        **server_problems(),
    }
    body = body_of("PolicyContent", aside=_CONTENT, through={"strategy": "write_through", "ttl_seconds": 3600})
    return operation(
        "putPolicy",
        "Set a type's caching policy",
        description=text,
        parameters=_WRITING,
        responses=responses,
        body=body,
    )


def remove() -> dict[str, Any]:
    text = """Takes the stored policy away: the settings count again, here before this is answered, everywhere within
B. The history stays."""
    responses = {
        200: answer("With `dry_run`: what would have changed", "Rehearsal", "Cache-Control", example=_REHEARSAL),
        204: {"description": "Removed", "headers": headers("Cache-Control")},
        400: _UNREADABLE,
        404: problem("No policy is stored for the type"),
        412: _FAILED,
        422: _NAMELESS,
        **server_problems(),
    }
    made = operation(
        "removePolicy", "Go back to the settings", description=text, parameters=_WRITING, responses=responses
    )
    return {**made, "status_code": 204}


def versions() -> dict[str, Any]:
    text = """What was stored for a type, newest first: each policy as it was set, when, by whom, why; and each time
that it was removed. Nothing of it is ever forgotten."""
    page = {"versions": [{**_VERSION, "policy": _MEMBERS}], "next_cursor": None}
    responses = {
        200: answer("Some changes", "PolicyVersionPage", "Cache-Control", example=page),
        422: _NAMELESS,
        **server_problems(),
    }
    return operation(
        "listPolicyVersions",
        "List what a type's policy was",
        description=text,
        parameters=[LIMIT, _CURSOR, REQUEST_ID],
        responses=responses,
    )
