"""The counters over the last minute, the last quarter of an hour, and since the start, and how they came about in
steps; a task takes the snapshots.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from service.metrics.totals import Totals, read_totals
from service.metrics.windows import Stretch, Window, Windows

log = structlog.get_logger(__name__)

MINUTE_SECONDS, QUARTER_SECONDS = 60.0, 900.0
STEP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Counts:
    """The same counters over three spans of time. ``since_start`` holds what all workers have counted, and tells how
    long the one has run that answers.
    """

    since_start: Window
    last_minute: Window
    last_15_minutes: Window


class Statistics:
    """Of one app. Where several workers share their values, each sees, and keeps, the sums of all."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._read = partial(read_totals, registry)
        self._windows = Windows(longest_seconds=QUARTER_SECONDS, step_seconds=STEP_SECONDS / 2)
        self._started_at = time.monotonic()

    async def counts(self) -> Counts:
        # In a thread: the files of several workers are read, which need not hold up anybody else.
        totals, now = await asyncio.to_thread(self._read), time.monotonic()
        return Counts(
            since_start=Window(now - self._started_at, totals.since(Totals())),
            last_minute=self._windows.over(MINUTE_SECONDS, now, totals),
            last_15_minutes=self._windows.over(QUARTER_SECONDS, now, totals),
        )

    def lately(self, seconds: float) -> Stretch:
        """The steps of the last ``seconds``, as they were counted: nothing is read anew."""
        return self._windows.lately(seconds, time.monotonic())

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Inside, snapshots are taken: the first one now, as a worker in another's place inherits its counts."""
        await self._snapshot()
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            # On even seconds, by the clock on the wall: so do all workers, and their answers can be put side by side.
            await asyncio.sleep(STEP_SECONDS - time.time() % STEP_SECONDS)
            await self._snapshot()

    async def _snapshot(self) -> None:
        try:
            totals = await asyncio.to_thread(self._read)
            at = round(time.time() / STEP_SECONDS) * STEP_SECONDS
            self._windows.add(time.monotonic(), totals, at=at)
        except Exception:
            # E.g. a worker's file that vanished while it was read. The next snapshot comes soon.
            log.exception("statistics_failed")
