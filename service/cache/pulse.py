"""The background look at Redis: its clock, its heartbeat, and, during an outage, whether it is back.

No request ever probes: while the breaker is open, this is the only one that asks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from service.breaker import Breaker
from service.cache.keys import HEARTBEAT
from service.cache.lane import CacheExchangeError, Lane
from service.cache.recorder import Recorder

_CALM_SECONDS = 1.0
_SOON_SECONDS = 0.1
"""While the cache is not used: Redis does not answer, or nobody has vouched for it yet, as right after a start."""

log = structlog.get_logger(__name__)


class Pulse:
    """Owns the breaker of one process, and the offset between its monotonic clock and Redis's clock."""

    def __init__(
        self, lane: Lane, recorder: Recorder, *, bound_seconds: float, on_return: Callable[[], Awaitable[None]],
        on_silence: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.breaker = Breaker()
        self.heartbeat_age_seconds = float("inf")
        self.is_on = False
        """Whether this process uses the cache, as far as the last look knows."""
        self.changed_at = time.monotonic()
        """Since when it is so."""
        self._lane = lane
        self._recorder = recorder
        self._bound_seconds = bound_seconds
        self._on_return = on_return
        self._on_silence = on_silence
        self._vouched_at = time.monotonic()
        self._offset_ms = time.time() * 1000 - time.monotonic() * 1000
        self._task: asyncio.Task[None] | None = None
        self._away = True
        self._opened = asyncio.Event()
        self._foreign = False

    def now_ms(self) -> int:
        """Redis's clock as last measured, carried on by the monotonic one: no host's wall clock is compared."""
        return int(time.monotonic() * 1000 + self._offset_ms)

    @property
    def run_id(self) -> bytes:
        """The server that the last look found; empty before the first."""
        return self._lane.run_id

    def failed(self, failure: CacheExchangeError) -> None:
        # After a timeout nobody else shall wait for another one; a broken connection may be just an old one.
        if self.breaker.failed(time.monotonic(), decisive=failure.kind == "timeout"):
            self.heartbeat_age_seconds = float("inf")
            self._opened.set()
            self._note_change()
            log.warning("cache_unreachable", reason=str(failure))

    def succeeded(self) -> None:
        if self.breaker.succeeded():
            log.info("cache_reachable")

    def met_foreign_heartbeat(self) -> None:
        """Told by the store at each read; said once between two looks."""
        if not self._foreign:
            self._foreign = True
            self._recorder.foreign_heartbeat()
            log.error("cache_belongs_to_another_database")

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._lane.close()

    async def beat(self) -> None:
        """One look. Failures are told to the breaker, not raised."""
        self._foreign = False
        try:
            before = time.monotonic()
            seconds, micros = await self._lane.call("TIME")
            after = time.monotonic()
            left_ms = await self._lane.call("PTTL", HEARTBEAT)
        except CacheExchangeError as failure:
            self._recorder.cache_error("clock", failure.kind)
            self._away = True
            self.failed(failure)
        else:
            self._recorder.cache_call("clock", after - before)
            self._offset_ms = int(seconds) * 1000 + int(micros) / 1000 - (before + after) / 2 * 1000
            self.heartbeat_age_seconds = self._bound_seconds - left_ms / 1000 if left_ms > 0 else float("inf")
            self._heed_silence(after)
            if self._away:
                self._away = False
                await self._on_return()
            self.succeeded()
        self._note_change()
        self._recorder.heartbeat(self.heartbeat_age_seconds)

    def _note_change(self) -> None:
        is_on = not self.breaker.is_open and self.heartbeat_age_seconds != float("inf")
        if is_on is not self.is_on:
            self.is_on, self.changed_at = is_on, time.monotonic()

    def _heed_silence(self, now: float) -> None:
        """A server that nobody vouches for may be a former primary, cut off, whose address leads elsewhere by now."""
        if self.heartbeat_age_seconds != float("inf"):
            self._vouched_at = now
        elif self._on_silence is not None and now - self._vouched_at > self._bound_seconds:
            self._vouched_at = now
            self._lane.outdate()
            self._on_silence()

    async def _run(self) -> None:
        while True:
            await self.beat()
            try:
                async with asyncio.timeout(_CALM_SECONDS if self.is_on else _SOON_SECONDS):
                    await self._opened.wait()
            except TimeoutError:
                continue
            self._opened.clear()
            await asyncio.sleep(_SOON_SECONDS)
