"""The policies of entity types as this process obeys them: the settings', under what is stored in PostgreSQL.

Each process asks four times within B whether any policy has changed. While PostgreSQL is away, what is known goes on to
hold: a policy says how long an entry may be kept and what a write does to the cache, never whether an entry is true.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

import structlog

from service.cache.policy import Policy
from service.db.policies import PolicyRow, PolicyTable, RecordedPolicy
from service.domain.difference import Operation, difference
from service.domain.entity import WriteCondition
from service.domain.parameter import Authorship
from service.errors import NotFoundError, PreconditionFailedError, UnavailableError
from service.services.following import Following
from service.services.policy_content import faults_of, members_of, policy_of_members, read_policy, tree_of

log = structlog.get_logger(__name__)


class Source(StrEnum):
    """Who says so. What is stored goes before the settings of the type, those before the default."""

    DEFAULT = "default"
    SETTINGS = "settings"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class StatedPolicy:
    """A policy, of which type, and who says so. The last three are those of a stored one, otherwise None.

    ``entity_type`` None: the default, of every type that nothing is said of.
    """

    entity_type: str | None
    policy: Policy
    source: Source
    version: int | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyRehearsal:
    """What a change would have done. ``version``: of the stored policy it would have replaced; None: there is none."""

    would: Literal["create", "update", "delete"]
    version: int | None
    patch: list[Operation]


class Policies:
    """``longest_seconds`` is how long tombstones are kept: no entry may be told to live longer."""

    def __init__(
        self, table: PolicyTable, *, default: Policy, of_settings: Mapping[str, Policy], bound_seconds: float,
        longest_seconds: float,
    ) -> None:  # fmt: skip
        self._table = table
        self._default = default
        self._of_settings = dict(of_settings)
        self._stored: dict[str, StatedPolicy] = {}
        self._in_force = dict(of_settings)
        self._longest_seconds = longest_seconds
        self._patience_seconds = bound_seconds
        self.following = Following("policies", table.edition, self._follow, every_seconds=bound_seconds / 4)

    def of(self, entity_type: str) -> Policy:
        """What holds for a type now. One look into a dict: every read asks."""
        return self._in_force.get(entity_type, self._default)

    def types(self) -> Collection[str]:
        """The entity types that have a policy of their own now."""
        return self._in_force.keys()

    def serve_stale(self) -> bool:
        """Whether any type may be answered with old values while PostgreSQL is away."""
        return any(policy.stale_if_error_seconds > 0 for policy in (self._default, *self._in_force.values()))

    def stated(self, entity_type: str) -> StatedPolicy:
        """What holds for a type now, and who says so."""
        return self._stored.get(entity_type) or self._without_stored(entity_type)

    def all_stated(self) -> tuple[StatedPolicy, list[StatedPolicy]]:
        """The default, and the policy of each type that has one of its own, in the order of their names."""
        return StatedPolicy(None, self._default, Source.DEFAULT), [self.stated(each) for each in sorted(self._in_force)]

    def start(self) -> None:
        self.following.start()

    async def stop(self) -> None:
        await self.following.stop()

    async def catch_up(self) -> None:
        """Know what was stored until now, if PostgreSQL tells within B; otherwise what is known goes on to hold."""
        with suppress(UnavailableError, TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                await self.following.look()

    def read(self, text: str, entity_type: str) -> Policy:
        """The policy that a checked document states for a type. Raises InvalidPolicyError."""
        base = self._without_stored(entity_type).policy
        return read_policy(text, entity_type=entity_type, base=base, longest_seconds=self._longest_seconds)

    async def put(
        self, entity_type: str, policy: Policy, *, condition: WriteCondition, authorship: Authorship
    ) -> StatedPolicy:
        """Store it, and obey it before this returns. Raises PreconditionFailedError, UnavailableError."""
        row = await self._table.put(entity_type, members_of(policy), condition=condition, authorship=authorship)
        await self.catch_up()
        return _stated(row)

    async def remove(self, entity_type: str, *, condition: WriteCondition, authorship: Authorship) -> None:
        """Let the settings count again. Raises NotFoundError, PreconditionFailedError, UnavailableError."""
        await self._table.remove(entity_type, condition=condition, authorship=authorship)
        await self.catch_up()

    async def rehearse_put(self, entity_type: str, policy: Policy, *, condition: WriteCondition) -> PolicyRehearsal:
        """What `put` would do to what is stored now; nothing is written. Raises what it raises."""
        current, before = await self._compared(entity_type, condition)
        patch = difference(tree_of(before.policy), tree_of(policy))
        return PolicyRehearsal("create" if current is None else "update", before.version, patch)

    async def rehearse_remove(self, entity_type: str, *, condition: WriteCondition) -> PolicyRehearsal:
        """What `remove` would do. Raises what it raises."""
        current, before = await self._compared(entity_type, condition)
        if current is None:
            raise NotFoundError(f"no policy is stored for {entity_type}: the settings count")
        patch = difference(tree_of(before.policy), tree_of(self._without_stored(entity_type).policy))
        return PolicyRehearsal("delete", before.version, patch)

    async def versions(self, entity_type: str, *, below: int, limit: int) -> list[RecordedPolicy]:
        """What was stored for a type, newest first. May raise UnavailableError."""
        return await self._table.versions(entity_type, below=below, limit=limit)

    async def _compared(self, entity_type: str, condition: WriteCondition) -> tuple[PolicyRow | None, StatedPolicy]:
        current = await self._table.now(entity_type)
        version, wanted = (None if current is None else current.version), condition.if_match
        is_there, is_missing = condition.must_be_absent and version is not None, version is None
        if is_there or (wanted is not None and (is_missing or (wanted and version not in wanted))):
            raise PreconditionFailedError("the policy is not what the request expects", current_version=version)
        return current, self._without_stored(entity_type) if current is None else _stated(current)

    def _without_stored(self, entity_type: str) -> StatedPolicy:
        own = self._of_settings.get(entity_type)
        if own is None:
            return StatedPolicy(entity_type, self._default, Source.DEFAULT)
        return StatedPolicy(entity_type, own, Source.SETTINGS)

    async def load(self) -> None:
        """Know what is stored now. May raise UnavailableError."""
        stored = {row.entity_type: _stated(row) for row in await self._table.all() if self._is_allowed(row)}
        self._stored = stored
        self._in_force = {**self._of_settings, **{name: each.policy for name, each in stored.items()}}

    async def _follow(self) -> None:
        await self.load()
        log.info("policies_loaded", versions={name: each.version for name, each in self._stored.items()})

    def _is_allowed(self, row: PolicyRow) -> bool:
        """What plain SQL, or another replica's settings, allowed, and these settings do not, is not obeyed."""
        faults = list(faults_of(row.members, longest_seconds=self._longest_seconds))
        if faults:
            words = [f"{each.pointer[1:]} {each.detail}" for each in faults]
            log.error("policy_refused", entity_type=row.entity_type, version=row.version, faults=words)
        return not faults


def _stated(row: PolicyRow) -> StatedPolicy:
    policy = policy_of_members(row.members)
    return StatedPolicy(row.entity_type, policy, Source.STORED, row.version, row.updated_at, row.updated_by)
