"""How policies look as JSON: the schemas that the OpenAPI document refers to."""

from __future__ import annotations

from service.api.documentation import Fragment
from service.api.schemas import CURSOR, MOMENT, TEXT, VERSION, list_of, object_of, ref
from service.cache.policy import Strategy
from service.domain.entity import ENTITY_TYPE_PATTERN
from service.services.policies import Source
from service.services.policy_content import RANGES, READ_ONLY

_WORDS = {
    "ttl_seconds": "how long an entry is fresh; `ttl_seconds` of an entity goes before it",
    "jitter": "each lifetime is shortened by up to this share, so that what was filled together expires apart",
    "negative_ttl_seconds": "how long it is remembered that there is no such entity",
    "stale_if_error_seconds": "how long past its freshness a value may be served if PostgreSQL cannot answer; 0: never",
    "early_refresh_beta": "XFetch's β: larger refreshes earlier, 0 never",
}
STRATEGY: Fragment = {
    "type": "string",
    "enum": [each.value for each in Strategy],
    "description": "`cache_aside`: a write drops the entry, the next read loads it. `write_through`: a write puts the "
    "new value in its place",
}


def policy_schemas(longest_seconds: float) -> dict[str, Fragment]:
    """By name, for `components.schemas`. ``longest_seconds``: how long tombstones are kept."""
    members = {"strategy": STRATEGY, **{name: _number(name, longest_seconds) for name in RANGES}}
    sent_back: dict[str, Fragment] = {name: {} for name in sorted(READ_ONLY)}
    sent_back["entity_type"] = {"type": "string", "pattern": ENTITY_TYPE_PATTERN}
    stamps: dict[str, Fragment] = {
        "source": {"type": "string", "enum": [each.value for each in Source]},
        "version": {"type": ["integer", "null"], "description": "null: it is not a stored one"},
        "updated_at": {**TEXT, "format": "date-time"},
        "updated_by": TEXT,
    }
    return {
        "Policy": object_of(
            "How entities of a type are cached, and who says so: what is stored, else the settings of the type, else "
            "the default, whose `entity_type` is null",
            {"entity_type": TEXT, **members, **stamps},
        ),
        "PolicyContent": object_of(
            "What a policy is to be; what is not given, the settings say. What a policy that was read brings along "
            "beside that is not looked at, except that the type must be the path's",
            {**members, **sent_back},
            optional=(*members, *sent_back),
            closed=True,
        ),
        "Policies": object_of(
            "Every policy that this process obeys; `age_seconds`: when it last asked PostgreSQL, null: not yet",
            {
                "default": ref("Policy"),
                "policies": list_of(ref("Policy")),
                "age_seconds": {"type": ["number", "null"], "minimum": 0},
            },
        ),
        **_history(members),
    }


def _history(members: dict[str, Fragment]) -> dict[str, Fragment]:
    return {
        "PolicyMembers": object_of("What was set", members),
        "PolicyVersion": object_of(
            "One change; `policy` is null where it was removed",
            {
                "version": VERSION,
                "kind": {"type": "string", "enum": ["set", "removed"]},
                "at": MOMENT,
                "actor": TEXT,
                "reason": TEXT,
                "policy": {"anyOf": [ref("PolicyMembers"), {"type": "null"}]},
            },
        ),
        "PolicyVersionPage": object_of(
            "Some changes, newest first", {"versions": list_of(ref("PolicyVersion")), "next_cursor": CURSOR}
        ),
    }


def _number(name: str, longest_seconds: float) -> Fragment:
    allowed = RANGES[name]
    least = {"exclusiveMinimum" if allowed.excludes_least else "minimum": allowed.least}
    most = longest_seconds if allowed.most is None else allowed.most
    return {"type": "number", **least, "maximum": most, "description": _WORDS[name]}
