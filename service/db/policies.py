"""The `policy` table: how entity types are to be cached, as far as somebody says so at run time; and its history.

Triggers stamp each policy and write the history, so plain SQL may do what this does. The edition moves with every
change, in the order of commits: see the migration.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from service.db.entities import execute_write
from service.db.notes import note_of
from service.db.pool import Database
from service.db.sql import sql
from service.domain.entity import WriteCondition
from service.domain.parameter import Authorship
from service.errors import NotFoundError, PreconditionFailedError


class Members(NamedTuple):
    """What can be set of a policy, in the order of the statements."""

    strategy: str
    ttl_seconds: float
    jitter: float
    negative_ttl_seconds: float
    stale_if_error_seconds: float
    early_refresh_beta: float


class PolicyRow(NamedTuple):
    """A stored policy. ``updated_by`` is what the writer said of itself."""

    entity_type: str
    members: Members
    version: int
    updated_at: datetime
    updated_by: str | None


class RecordedPolicy(NamedTuple):
    """One change. ``members`` by name; None where the policy was removed, and the settings were to count again."""

    version: int
    members: dict[str, Any] | None
    at: datetime
    actor: str | None
    reason: str | None


class PolicyTable:
    """Every method may raise UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def edition(self) -> tuple[int, datetime]:
        """Another one than before as soon as any policy has changed. One row, by its primary key."""
        async with self._database.connection() as connection:
            record = await connection.fetchrow(sql("policy_edition"))
        assert record is not None, "the migration has put one there"
        return record["number"], record["at"]

    async def all(self) -> list[PolicyRow]:
        async with self._database.connection() as connection:
            return [_row_of(record) for record in await connection.fetch(sql("policies"))]

    async def now(self, entity_type: str) -> PolicyRow | None:
        """As it is stored; None where it is not."""
        async with self._database.browsing() as connection:
            record = await connection.fetchrow(sql("policy_now"), entity_type)
        return None if record is None else _row_of(record)

    async def put(
        self, entity_type: str, members: Members, *, condition: WriteCondition, authorship: Authorship
    ) -> PolicyRow:
        """Raises PreconditionFailedError, WriteOutcomeUnknownError."""
        statement, depends_on = _put_on(condition)
        note = note_of(authorship)
        async with self._database.writing() as connection:
            record = await execute_write(connection, sql(statement), entity_type, note, *members, depends_on)
            if record is not None:
                return _row_of(record)
            raise await _precondition_failed(connection, entity_type)

    async def remove(self, entity_type: str, *, condition: WriteCondition, authorship: Authorship) -> None:
        """Raises NotFoundError, PreconditionFailedError, WriteOutcomeUnknownError."""
        versions = None if condition.if_match is None else list(condition.if_match)
        async with self._database.writing() as connection:
            if not condition.must_be_absent:
                removed = await execute_write(
                    connection, sql("remove_policy"), entity_type, note_of(authorship), versions
                )
                if removed is not None:
                    return
            error = await _precondition_failed(connection, entity_type)
        if versions is None and error.current_version is None:
            raise NotFoundError(f"no policy is stored for {entity_type}: the settings count")
        raise error

    async def versions(self, entity_type: str, *, below: int, limit: int) -> list[RecordedPolicy]:
        """The newest ``limit`` ones below a version, newest first."""
        async with self._database.browsing() as connection:
            records = await connection.fetch(sql("policy_versions"), entity_type, below, limit)
        return [RecordedPolicy(r["version"], r["members"], r["at"], r["actor"], r["reason"]) for r in records]


def _put_on(condition: WriteCondition) -> tuple[str, bool | list[int]]:
    """The statement, and what it depends on."""
    if condition.if_match is None:
        return "put_policy", condition.must_be_absent
    return "put_policy_if_match", list(condition.if_match)


async def _precondition_failed(connection: asyncpg.Connection, entity_type: str) -> PreconditionFailedError:
    record = await connection.fetchrow(sql("policy_now"), entity_type)
    return PreconditionFailedError(
        "the policy is not what the request expects", current_version=None if record is None else record["version"]
    )


def _row_of(record: asyncpg.Record) -> PolicyRow:
    return PolicyRow(
        entity_type=record["entity_type"],
        members=Members(*(record[name] for name in Members._fields)),
        version=record["version"],
        updated_at=record["updated_at"],
        updated_by=record["updated_by"],
    )
