"""What people do to the cache: warm it, purge it, ask it why, and see to the jobs that this makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.db.hot_keys import HotKey
from service.db.jobs import JobTable
from service.domain.entity import EntityKey
from service.domain.job import Job, JobKind, JobOrigin
from service.domain.warm_wanted import WarmWanted
from service.errors import NotFoundError
from service.services.explaining import Explaining, Explanation
from service.services.hot_keys import HotKeys
from service.services.jobs import JobRunner
from service.services.occasions import Occasions
from service.services.purging import PurgeWanted, Purging


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """Use cases. Every method but `explain` may raise UnavailableError."""

    table: JobTable
    runner: JobRunner
    hot_keys: HotKeys
    purging: Purging
    explaining: Explaining
    occasions: Occasions

    async def explain(self, key: EntityKey) -> Explanation:
        return await self.explaining.explain(key)

    async def hottest(self, limit: int) -> list[HotKey]:
        return await self.hot_keys.hottest(limit)

    async def purge_names(self, entity_type: str, ids: Sequence[str], *, dry_run: bool) -> int:
        """At once. Returns how many there were."""
        return await self.purging.names(entity_type, ids, dry_run=dry_run)

    async def purge(self, wanted: PurgeWanted, *, actor: str | None) -> Job:
        """A type, or everything, is given up when this returns: the job only frees the memory. Of a prefix, the job
        removes what it meets.
        """
        if wanted.is_by_epoch:
            await self.purging.give_up(wanted.entity_type)
        return await self._create(JobKind.PURGE, wanted, actor=actor)

    async def warm(self, wanted: WarmWanted, *, actor: str | None) -> Job:
        return await self._create(JobKind.WARM, wanted, actor=actor)

    async def _create(self, kind: JobKind, wanted: PurgeWanted | WarmWanted, *, actor: str | None) -> Job:
        job = await self.table.create(kind, JobOrigin.REQUEST, wanted.as_json, actor=actor)
        assert job is not None, "only those of other origins are made once"
        self.runner.wake(kind)
        return job

    async def job(self, job_id: int) -> Job:
        """Raises NotFoundError."""
        job = await self.table.read(job_id)
        if job is None:
            raise NotFoundError(f"there is no job {job_id}")
        return job

    async def jobs(self, limit: int) -> list[Job]:
        """The newest first."""
        return await self.table.newest(limit)

    async def cancel(self, job_id: int) -> Job:
        """Asks for it; the job ends within seconds, in order, unless it has ended before. Raises NotFoundError."""
        await self.table.cancel(job_id)
        return await self.job(job_id)
