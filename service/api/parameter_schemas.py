"""How parameters, and what is told of them, look as JSON: the schemas that the OpenAPI document refers to."""

from __future__ import annotations

from service.api.batches import BATCH_MAX
from service.api.documentation import Fragment
from service.api.schemas import CURSOR, MOMENT, NAME, TEXT, VERSION, list_of, object_of, ref
from service.domain.parameter import DESCRIPTION_CHARACTERS_MAX
from service.domain.parameter_types import ParameterType

_VALUE: Fragment = {
    "description": "a value of that type; a duration is an ISO 8601 string, a datetime an RFC 3339 string in UTC"
}
_DESCRIPTION: Fragment = {**TEXT, "maxLength": DESCRIPTION_CHARACTERS_MAX}
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
    stamps = {"version": VERSION, "updated_at": MOMENT, "updated_by": TEXT}
    sent_back: dict[str, Fragment] = {"key": NAME, **{name: {} for name in stamps}}
    return {
        "Parameter": object_of("A typed, versioned setting", {"key": NAME, **said, "ttl_seconds": _ttl(), **stamps}),
        "ParameterContent": object_of(
            "What a parameter is to be. `key`, `version`, `updated_at` and `updated_by` may be sent back as they were "
            "read: they are not looked at, except that the key must be the path's",
            {**said, "ttl_seconds": _ttl(maximum=longest_ttl_seconds), **sent_back},
            optional=("description", "schema", "ttl_seconds", *sent_back),
            closed=True,
        ),
        "Rehearsal": object_of(
            "What a write would have done; `version` is the one it would have replaced",
            {
                "would": {"type": "string", "enum": ["create", "update", "delete"]},
                "version": {"type": ["integer", "null"]},
                "patch": list_of(ref("PatchOperation")),
            },
        ),
    }


def _many() -> dict[str, Fragment]:
    keys = list_of({"type": "string"}, maxItems=BATCH_MAX)
    return {
        "ParameterPage": object_of("Some parameters", {"parameters": list_of(ref("Parameter")), "next_cursor": CURSOR}),
        "ParameterKeys": object_of("Which to read", {"keys": keys}, closed=True),
        "ParameterResult": object_of(
            "`version` and `body` where the status is 200, otherwise `problem`",
            {
                "key": {"type": "string"},
                "status": {"type": "integer"},
                "version": VERSION,
                "body": ref("Parameter"),
                "problem": ref("Problem"),
            },
            optional=("version", "body", "problem"),
        ),
        "ParameterResults": object_of("One for each key, in order", {"results": list_of(ref("ParameterResult"))}),
    }


def _history() -> dict[str, Fragment]:
    return {
        "ParameterVersion": object_of(
            "One version; `type` and `value` are null for a deletion",
            {
                "version": VERSION,
                "kind": {"type": "string", "enum": ["created", "updated", "deleted", "rolled_back"]},
                "at": MOMENT,
                "actor": TEXT,
                "reason": TEXT,
                "type": {"anyOf": [ref("ParameterType"), {"type": "null"}]},
                "value": _VALUE,
            },
        ),
        "ParameterVersionPage": object_of(
            "Some versions, newest first", {"versions": list_of(ref("ParameterVersion")), "next_cursor": CURSOR}
        ),
        "Rollback": object_of("The version to go back to", {"version": VERSION}, closed=True),
        "PatchOperation": object_of(
            "One operation of a JSON Patch (RFC 6902)",
            {"op": {"type": "string", "enum": ["add", "remove", "replace"]}, "path": {"type": "string"}, "value": {}},
            optional=("value",),
        ),
    }
