"""How parameters, and what is told of them, look as JSON: the schemas that the OpenAPI document refers to."""

from __future__ import annotations

from typing import Any

from service.api.documentation import Fragment
from service.domain.entity import ENTITY_ID_PATTERN
from service.domain.parameter import DESCRIPTION_CHARACTERS_MAX
from service.domain.parameter_types import ParameterType

BATCH_MAX = 1_000
"""How many keys one request may name."""


def ref(name: str) -> Fragment:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(
    description: str, members: dict[str, Any], *, optional: tuple[str, ...] = (), closed: bool = False
) -> Fragment:
    required = [name for name in members if name not in optional]
    schema = {"type": "object", "description": description, "properties": members, "required": required}
    return {**schema, "additionalProperties": False} if closed else schema


def _list(items: Fragment, **limits: int) -> Fragment:
    return {"type": "array", "items": items, **limits}


_KEY: Fragment = {"type": "string", "pattern": ENTITY_ID_PATTERN}
_VERSION: Fragment = {"type": "integer", "minimum": 1}
_TEXT: Fragment = {"type": ["string", "null"]}
_MOMENT: Fragment = {"type": "string", "format": "date-time"}
_CURSOR: Fragment = {**_TEXT, "description": "the `cursor` of the next page; null at the end"}
_VALUE: Fragment = {
    "description": "a value of that type; a duration is an ISO 8601 string, a datetime an RFC 3339 string in UTC"
}
_DESCRIPTION: Fragment = {**_TEXT, "maxLength": DESCRIPTION_CHARACTERS_MAX}
_SCHEMA: Fragment = {"type": ["object", "boolean", "null"], "description": "a JSON Schema (2020-12) for the value"}


def _ttl(**limits: float) -> Fragment:
    description = "how long it may be cached; null: as the policy says, an hour by default"
    return {"type": ["number", "null"], "exclusiveMinimum": 0, "description": description, **limits}


def parameter_schemas(longest_ttl_seconds: float) -> dict[str, Fragment]:
    """By name, for `components.schemas`."""
    return {
        "ParameterType": {"type": "string", "enum": [each.value for each in ParameterType]},
        **_single(longest_ttl_seconds),
        **_many(),
        **_history(),
    }


def _single(longest_ttl_seconds: float) -> dict[str, Fragment]:
    said = {"type": ref("ParameterType"), "value": _VALUE, "description": _DESCRIPTION, "schema": _SCHEMA}
    stamps = {"version": _VERSION, "updated_at": _MOMENT, "updated_by": _TEXT}
    sent_back: dict[str, Fragment] = {name: {} for name in ("key", *stamps)}
    return {
        "Parameter": _object("A typed, versioned setting", {"key": _KEY, **said, "ttl_seconds": _ttl(), **stamps}),
        "ParameterContent": _object(
            "What a parameter is to be. `key`, `version`, `updated_at` and `updated_by` may be sent back as they were "
            "read: they are not looked at, except that the key must be the path's",
            {**said, "ttl_seconds": _ttl(maximum=longest_ttl_seconds), **sent_back},
            optional=("description", "schema", "ttl_seconds", *sent_back),
            closed=True,
        ),
        "Rehearsal": _object(
            "What a write would have done; `version` is the one it would have replaced",
            {
                "would": {"type": "string", "enum": ["create", "update", "delete"]},
                "version": {"type": ["integer", "null"]},
                "patch": _list(ref("PatchOperation")),
            },
        ),
    }


def _many() -> dict[str, Fragment]:
    return {
        "ParameterPage": _object("Some parameters", {"parameters": _list(ref("Parameter")), "next_cursor": _CURSOR}),
        "ParameterKeys": _object("Which to read", {"keys": _list({"type": "string"}, maxItems=BATCH_MAX)}, closed=True),
        "ParameterResult": _object(
            "`version` and `body` where the status is 200, otherwise `problem`",
            {
                "key": {"type": "string"},
                "status": {"type": "integer"},
                "version": _VERSION,
                "body": ref("Parameter"),
                "problem": ref("Problem"),
            },
            optional=("version", "body", "problem"),
        ),
        "ParameterResults": _object("One for each key, in order", {"results": _list(ref("ParameterResult"))}),
    }


def _history() -> dict[str, Fragment]:
    return {
        "ParameterVersion": _object(
            "One version; `type` and `value` are null for a deletion",
            {
                "version": _VERSION,
                "kind": {"type": "string", "enum": ["created", "updated", "deleted", "rolled_back"]},
                "at": _MOMENT,
                "actor": _TEXT,
                "reason": _TEXT,
                "type": {"anyOf": [ref("ParameterType"), {"type": "null"}]},
                "value": _VALUE,
            },
        ),
        "ParameterVersionPage": _object(
            "Some versions, newest first", {"versions": _list(ref("ParameterVersion")), "next_cursor": _CURSOR}
        ),
        "Rollback": _object("The version to go back to", {"version": _VERSION}, closed=True),
        "PatchOperation": _object(
            "One operation of a JSON Patch (RFC 6902)",
            {"op": {"type": "string", "enum": ["add", "remove", "replace"]}, "path": {"type": "string"}, "value": {}},
            optional=("value",),
        ),
    }
