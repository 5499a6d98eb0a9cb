"""Policies as JSON: one, all, what one was, and what a change would do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from service.db.policies import RecordedPolicy
from service.domain.moments import render_moment
from service.services.policies import Policies, PolicyRehearsal, StatedPolicy
from service.services.policy_content import tree_of


def policy_document(stated: StatedPolicy) -> dict[str, Any]:
    """A policy, and who says so."""
    return {
        "entity_type": stated.entity_type,
        **tree_of(stated.policy),
        "source": stated.source.value,
        "version": stated.version,
        "updated_at": None if stated.updated_at is None else render_moment(stated.updated_at),
        "updated_by": stated.updated_by,
    }


def all_documents(policies: Policies, is_shown: Callable[[str], bool]) -> dict[str, Any]:
    """The default, every type with a policy of its own that is to be shown, and how old this knowledge is."""
    default, own = policies.all_stated()
    age = policies.following.age_seconds
    return {
        "default": policy_document(default),
        "policies": [policy_document(each) for each in own if is_shown(str(each.entity_type))],
        "age_seconds": round(age, 3) if math.isfinite(age) else None,
    }


def version_document(recorded: RecordedPolicy) -> dict[str, Any]:
    """One change; `policy` is null where the settings were to count again."""
    return {
        "version": recorded.version,
        "kind": "removed" if recorded.members is None else "set",
        "at": render_moment(recorded.at),
        "actor": recorded.actor,
        "reason": recorded.reason,
        "policy": recorded.members,
    }


def rehearsal_document(rehearsal: PolicyRehearsal) -> dict[str, Any]:
    return {"would": rehearsal.would, "version": rehearsal.version, "patch": rehearsal.patch}
