"""Jobs, as they are asked for and looked at, and the runner in every process that does them, one of a kind at a time.

A job lives in PostgreSQL. Whoever claims it keeps it by saying every second how far it has come; a process that dies
says nothing any more, and another one goes on from there. What a job does may be done twice, and must bear it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from service.cache.recorder import Recorder
from service.db.jobs import JobTable
from service.domain.job import Job, JobKind, JobState
from service.errors import InvalidInputError, UnavailableError

log = structlog.get_logger(__name__)

_CLAIM_SECONDS = 10.0
_STEP_SECONDS = 1.0
_AGAIN_AFTER_SECONDS = 5.0
_GIVE_UP_SECONDS = 3_600.0


class Report(Protocol):
    """Told by the work how far it has come; costs nothing."""

    def __call__(
        self, progress: Mapping[str, int], *, reached: Mapping[str, Any] | None = None, about: int | None = None
    ) -> None: ...


class Work(Protocol):
    """What jobs of one kind do."""

    async def run(self, job: Job, report: Report) -> None:
        """From where the job has come to. Raises UnavailableError where it cannot go on now, InvalidInputError where
        it never can. A cancellation lets it end in order.
        """


class _Progress:
    """The last that the work has said."""

    def __init__(self, job: Job) -> None:
        self.progress: Mapping[str, int] = job.progress
        self.reached: Mapping[str, Any] | None = None
        self.about: int | None = None

    def note(
        self, progress: Mapping[str, int], *, reached: Mapping[str, Any] | None = None, about: int | None = None
    ) -> None:
        self.progress = progress
        self.reached = reached or self.reached
        self.about = about or self.about


class JobRunner:
    """Of one process, which ``name`` tells from all others."""

    def __init__(
        self, table: JobTable, works: Mapping[JobKind, Work], recorder: Recorder, *, name: str,
        poll_seconds: float = _STEP_SECONDS,
    ) -> None:  # fmt: skip
        self._recorder = recorder
        self._table = table
        self._works = works
        self._name = name
        self._poll_seconds = poll_seconds
        self._woken = {kind: asyncio.Event() for kind in works}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run(kind)) for kind in self._works]

    async def stop(self) -> None:
        """What is under way is given back, for another replica to go on with it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def wake(self, kind: JobKind) -> None:
        """There is a new job: look at once."""
        self._woken[kind].set()

    async def _run(self, kind: JobKind) -> None:
        while True:
            self._woken[kind].clear()
            try:
                job = await self._table.claim([kind], self._name, seconds=_CLAIM_SECONDS)
                if job is not None:
                    await self._do(job)
                    continue
            except UnavailableError:
                pass  # PostgreSQL is away: said by others
            except Exception:
                # This loop owns whatever else may happen to a job: without one, none would ever be done again.
                log.exception("job_runner_failed", kind=kind.value)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken[kind].wait()

    async def _do(self, job: Job) -> None:
        log.info("job_begins", job=job.id, kind=job.kind.value, origin=job.origin.value)
        progress = _Progress(job)
        work = asyncio.create_task(self._works[job.kind].run(job, progress.note))
        state, error = JobState.QUEUED, None
        try:
            state = await self._watch(job, work, progress)
            if state is JobState.DONE:
                work.result()
        except InvalidInputError as failure:
            state, error = JobState.FAILED, str(failure)
        except UnavailableError as failure:
            state, error = self._after(job), str(failure)
        except Exception as failure:
            state, error = JobState.FAILED, f"failed: {type(failure).__name__}"
            log.exception("job_failed", job=job.id)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self._give_back(job, progress, state, error)

    def _after(self, job: Job) -> JobState:
        """Of a job that cannot go on now."""
        began_at = job.started_at or datetime.now(UTC)
        is_hopeless = (datetime.now(UTC) - began_at).total_seconds() > _GIVE_UP_SECONDS
        return JobState.FAILED if is_hopeless else JobState.QUEUED

    async def _watch(self, job: Job, work: asyncio.Task[None], progress: _Progress) -> JobState:
        """Until it ends, is cancelled, or is somebody else's (then it is none of ours how it goes on)."""
        kept_until = time.monotonic() + _CLAIM_SECONDS
        while not (await asyncio.wait([work], timeout=_STEP_SECONDS))[0]:
            asked_at = time.monotonic()
            try:
                is_cancelled = await self._checkpoint(job, progress)
            except UnavailableError:
                if asked_at > kept_until:
                    raise
                continue
            if is_cancelled is None:
                raise UnavailableError("another replica goes on with it")
            if is_cancelled:
                return JobState.CANCELLED
            kept_until = asked_at + _CLAIM_SECONDS
        return JobState.DONE

    async def _checkpoint(self, job: Job, progress: _Progress) -> bool | None:
        return await self._table.checkpoint(
            job.id,
            self._name,
            progress=progress.progress,
            reached=progress.reached,
            about=progress.about,
            seconds=_CLAIM_SECONDS,
        )

    async def _give_back(self, job: Job, progress: _Progress, state: JobState, error: str | None) -> None:
        log.info("job_ends", job=job.id, state=state.value, error=error)
        if not state.is_open:
            self._recorder.job(job.kind.value, state.value)
        wait = _AGAIN_AFTER_SECONDS if error is not None else 0.0
        with suppress(UnavailableError):  # then the claim expires, and somebody goes on with it
            await self._checkpoint(job, progress)
            await self._table.end(job.id, self._name, state, error=error, again_after_seconds=wait)
