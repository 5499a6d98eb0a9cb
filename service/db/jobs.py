"""The `job` table: what is to be done, who does it at the moment, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from service.db.pool import Database
from service.db.sql import sql
from service.domain.job import Job, JobKind, JobOrigin, JobState

_KEPT_SECONDS = 7 * 86_400.0


class JobTable:
    """Every method may raise UnavailableError. A *claim* is a job that one process works at, for a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, kind: JobKind, origin: JobOrigin, wanted: Mapping[str, Any], *, actor: str | None,
        unless_within_seconds: float | None = None,
    ) -> Job | None:  # fmt: skip
        """A queued job; None where one of this origin is open, or was finished so lately."""
        async with self._database.browsing() as connection:
            await connection.execute(sql("prune_jobs"), _KEPT_SECONDS)
            record = await connection.fetchrow(
                sql("job_create"), kind.value, origin.value, json.dumps(wanted), actor, unless_within_seconds
            )
        return None if record is None else _job(record)

    async def read(self, job_id: int) -> Job | None:
        async with self._database.browsing() as connection:
            record = await connection.fetchrow(sql("job_read"), job_id)
        return None if record is None else _job(record)

    async def newest(self, limit: int) -> list[Job]:
        async with self._database.browsing() as connection:
            return [_job(record) for record in await connection.fetch(sql("job_list"), limit)]

    async def cancel(self, job_id: int) -> None:
        """Ask for it; a job that has ended stays as it is."""
        async with self._database.browsing() as connection:
            await connection.execute(sql("job_cancel"), job_id)

    async def claim(self, kinds: Sequence[JobKind], runner: str, *, seconds: float) -> Job | None:
        async with self._database.connection() as connection:
            record = await connection.fetchrow(sql("job_claim"), [kind.value for kind in kinds], runner, seconds)
        return None if record is None else _job(record)

    async def checkpoint(
        self, job_id: int, runner: str, *, progress: Mapping[str, int], reached: Mapping[str, Any] | None,
        about: int | None, seconds: float,
    ) -> bool | None:  # fmt: skip
        """Note how far it has come, and keep it. Whether it should end; None where it is somebody else's by now."""
        async with self._database.connection() as connection:
            found: bool | None = await connection.fetchval(
                sql("job_checkpoint"),
                job_id,
                runner,
                json.dumps(progress),
                None if reached is None else json.dumps(reached),
                about,
                seconds,
            )
        return found

    async def end(
        self, job_id: int, runner: str, state: JobState, *, error: str | None = None, again_after_seconds: float = 0.0
    ) -> None:
        """``state`` QUEUED: not now, but later, by whoever comes first."""
        async with self._database.connection() as connection:
            await connection.execute(sql("job_end"), job_id, runner, state.value, error, again_after_seconds)


def _job(record: asyncpg.Record) -> Job:
    members = dict(record)
    members |= {"kind": JobKind(record["kind"]), "origin": JobOrigin(record["origin"])}
    return Job(**{**members, "state": JobState(record["state"])})
