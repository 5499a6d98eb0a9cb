"""When to warm without being asked: when a replica starts, and when the cache has turned out to be empty."""

from __future__ import annotations

import asyncio
import time

import structlog

from service.db.jobs import JobTable
from service.domain.job import Job, JobKind, JobOrigin, JobState
from service.domain.warm_wanted import WarmWanted
from service.errors import UnavailableError
from service.services.hot_keys import HotKeys
from service.services.jobs import JobRunner

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.5
_AT_MOST_ONCE_IN_SECONDS = 60.0
"""Many replicas start together, and all of them see that the cache is empty: one job is enough."""


class Occasions:
    """``at_start``, ``when_empty``: what to warm then; None for nothing.

    ``ready_waits_seconds``: so long may the warming of the start keep this process from being ready.
    """

    def __init__(
        self, table: JobTable, runner: JobRunner, hot_keys: HotKeys, *, at_start: WarmWanted | None,
        when_empty: WarmWanted | None, ready_waits_seconds: float,
    ) -> None:  # fmt: skip
        self._table = table
        self._runner = runner
        self._hot_keys = hot_keys
        self._wanted = {JobOrigin.START: at_start, JobOrigin.EMPTY: when_empty}
        self._ready_waits_seconds = ready_waits_seconds if at_start is not None else 0.0
        self._ready_at = 0.0
        self._words: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waits_for(self) -> str | None:
        """Why this process is not ready yet, in words; None where it is."""
        return self._words if time.monotonic() < self._ready_at else None

    def started(self) -> None:
        """This process begins to serve."""
        if self._wanted[JobOrigin.START] is not None:
            self._ready_at = time.monotonic() + self._ready_waits_seconds
            self._words = "warming has not begun"
            self._begin(JobOrigin.START)

    def emptied(self) -> None:
        """The cache holds nothing any more, or is a new one."""
        if self._wanted[JobOrigin.EMPTY] is not None:
            self._begin(JobOrigin.EMPTY)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, origin: JobOrigin) -> None:
        task = asyncio.get_running_loop().create_task(self._see_to(origin))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_to(self, origin: JobOrigin) -> None:
        wanted = self._wanted[origin]
        assert wanted is not None
        while True:
            try:
                await self._create(origin, wanted)
                if origin is JobOrigin.START:
                    await self._follow()
                return
            except UnavailableError:
                await asyncio.sleep(_LOOK_SECONDS)
            except Exception:
                # Nobody waits for this task: whatever it meets is said here, or nowhere.
                log.exception("warming_occasion_failed", origin=origin.value)
                self._words = None
                return

    async def _create(self, origin: JobOrigin, wanted: WarmWanted) -> None:
        if wanted.hot is not None and not await self._hot_keys.hottest(1):
            return
        job = await self._table.create(
            JobKind.WARM, origin, wanted.as_json, actor=None, unless_within_seconds=_AT_MOST_ONCE_IN_SECONDS
        )
        if job is not None:
            log.info("warming_begins_by_itself", job=job.id, origin=origin.value)
            self._runner.wake(JobKind.WARM)

    async def _follow(self) -> None:
        """Until the newest job of a start has ended, be it this replica's or another one's."""
        while True:
            job = next((each for each in await self._table.newest(20) if each.origin is JobOrigin.START), None)
            if job is None or not job.state.is_open:
                self._words = None
                return
            self._words = _words(job)
            await asyncio.sleep(_LOOK_SECONDS)


def _words(job: Job) -> str:
    if job.state is JobState.QUEUED:
        return f"warming is to begin (job {job.id})"
    return f"warming: {job.progress.get('rows', 0)} of about {job.about or 0} rows (job {job.id})"
