"""The counters over the last minute, the last quarter of an hour, and since the start; a task takes the snapshots."""

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
from service.metrics.windows import Window, Windows

log = structlog.get_logger(__name__)

_MINUTE, _QUARTER = 60.0, 900.0
_STEP_SECONDS = 5.0


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
        self._windows = Windows(longest_seconds=_QUARTER, step_seconds=_STEP_SECONDS)
        self._started_at = time.monotonic()

    async def counts(self) -> Counts:
        # In a thread: the files of several workers are read, which need not hold up anybody else.
        totals, now = await asyncio.to_thread(self._read), time.monotonic()
        return Counts(
            since_start=Window(now - self._started_at, totals.since(Totals())),
            last_minute=self._windows.over(_MINUTE, now, totals),
            last_15_minutes=self._windows.over(_QUARTER, now, totals),
        )

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
            await asyncio.sleep(_STEP_SECONDS)
            await self._snapshot()

    async def _snapshot(self) -> None:
        try:
            totals = await asyncio.to_thread(self._read)
            self._windows.add(time.monotonic(), totals)
        except Exception:
            # E.g. a worker's file that vanished while it was read. The next snapshot comes soon.
            log.exception("statistics_failed")
