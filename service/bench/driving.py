"""Keeps connections open and gives them requests: when they are free, or when a schedule says so.

In a closed loop a slow answer delays the requests behind it, which are then not counted as slow. In an open loop their
latency runs from when they were meant to begin, so a stall shows in all whom it concerned (no *coordinated omission*).
"""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from time import perf_counter, process_time

from service.bench.cache_status import outcome_of
from service.bench.connection import Connection
from service.bench.mix import Kind
from service.bench.plan import Plan
from service.bench.requests import Prepared, Requests
from service.bench.tally import Report, Tally

_LOOK_SECONDS = 0.02
_RECONNECT_SECONDS = 0.1
_EARLY_SECONDS = 0.002
"""By how much an event loop's timer, which counts whole milliseconds, may be early."""
_NEVER = float("inf")


class Driver(ABC):
    """One process's share of a plan. Times are of `perf_counter`."""

    def __init__(self, plan: Plan, process: int) -> None:
        self.plan = plan
        self.requests = Requests(plan, process)
        self.is_asking = False
        self.begun = _NEVER
        self.measured_from = _NEVER
        self.report = Report({share.kind: Tally() for share in plan.mix})
        self._tallies = list(self.report.tallies.values())
        self._missing_fails = [_is_missing_an_error(share.kind, is_aside=plan.subject.is_aside) for share in plan.mix]
        self._connections = [Connection(self) for _ in range(plan.connections_of(process))]
        self._connecting: set[asyncio.Task[None]] = set()
        self._tls = ssl.create_default_context() if plan.target.is_tls else None
        self._is_closing = False
        self._answered_at = 0.0

    @abstractmethod
    def begin(self) -> None:
        """`begun` is now: give out the first requests."""

    @abstractmethod
    def end(self) -> None:
        """Give out what is due by now, and no more."""

    @abstractmethod
    def free(self, connection: Connection) -> None:
        """A connection can take a request."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Requests whose time has come, and that no connection could take yet."""

    @abstractmethod
    def expire(self, now: float) -> None:
        """Give up what waited too long for a connection."""

    @abstractmethod
    def refused(self) -> None:
        """A connection could not be opened."""

    async def open(self) -> None:
        """Connect, as far as that is possible now; what is missing is tried again all the time."""
        for connection in self._connections:
            self._connect(connection)
        await asyncio.wait(set(self._connecting), timeout=self.plan.timeout_seconds)

    async def run(self, stop: asyncio.Event) -> None:
        """Ask for as long as planned or until told to stop, and wait for what is under way, within its budget."""
        self.begun, self.is_asking, worked = perf_counter(), True, process_time()
        self.measured_from = self.begun + self.plan.warmup_seconds
        self.begin()
        looking = asyncio.create_task(self._look_for_timeouts())
        try:
            async with asyncio.timeout(self.plan.warmup_seconds + self.plan.seconds + _EARLY_SECONDS):
                await stop.wait()
        except TimeoutError:
            pass
        self.is_asking, ended = False, perf_counter()
        self.end()
        self.report.busy = (process_time() - worked) / (ended - self.begun)
        await looking
        self._close()
        self.report.seconds = max(0.0, max(ended, self._answered_at) - self.measured_from)

    def now(self) -> Report:
        """The report as it stands, which goes on being counted in."""
        now = perf_counter()
        if self.is_asking:
            self.report.seconds = max(0.0, now - self.measured_from)
        self.report.warmup_left = 0.0 if self.begun == _NEVER else max(0.0, self.measured_from - now)
        self.report.waiting = self.waiting
        return self.report

    def answered(self, connection: Connection, request: Prepared, status: int) -> None:
        if connection.etag:
            self.requests.learn(request.key, connection.etag)
        if connection.intended < self.measured_from:
            return
        now = self._answered_at = perf_counter()
        if connection.cache_status:
            outcome = outcome_of(connection.cache_status, status)
        else:
            outcome = connection.aside_cache.decode("latin-1")
        is_error = status >= 400 and (status != 404 or self._missing_fails[request.kind])
        us = int((now - connection.intended) * 1e6)
        self._tallies[request.kind].answered(status, outcome, us, is_error=is_error)

    def lost(self, connection: Connection, request: Prepared | None) -> None:
        if request is not None:
            self.failed(request, "broken", connection.intended)
        if not self._is_closing:
            self._connect(connection)

    def failed(self, request: Prepared, how: str, intended: float) -> None:
        """No answer came. One that was waited for to the end of its budget took that long at least."""
        if intended >= self.measured_from:
            us = int(self.plan.timeout_seconds * 1e6) if how == "timeout" else None
            self._tallies[request.kind].failed(how, us)

    def _connect(self, connection: Connection) -> None:
        task = asyncio.create_task(self._open(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open(self, connection: Connection) -> None:
        target, loop = self.plan.target, asyncio.get_running_loop()
        while not self._is_closing:
            try:
                async with asyncio.timeout(self.plan.timeout_seconds):
                    await loop.create_connection(lambda: connection, target.host, target.port, ssl=self._tls)
            except OSError:
                self.refused()
                await asyncio.sleep(_RECONNECT_SECONDS)
            else:
                if connection.is_open:  # else it is lost already, which has been told
                    self.free(connection)
                return

    async def _look_for_timeouts(self) -> None:
        """Until nothing is under way any more."""
        limit = self.plan.timeout_seconds
        while self.is_asking or self.waiting or any(connection.request for connection in self._connections):
            await asyncio.sleep(min(_LOOK_SECONDS, limit / 4))
            now = perf_counter()
            for connection in self._connections:
                request = connection.request
                if request is not None and now - connection.intended > limit:
                    connection.give_up()
                    self.failed(request, "timeout", connection.intended)
            self.expire(now)

    def _close(self) -> None:
        self._is_closing = True
        for task in self._connecting:
            task.cancel()
        for connection in self._connections:
            connection.close()


def _is_missing_an_error(kind: Kind, *, is_aside: bool) -> bool:
    """Whether 404 is an error: not where the key is absent on purpose, nor where a cache may know that it is."""
    return not (kind is Kind.ABSENT or (is_aside and kind in {Kind.READS, Kind.CONDITIONAL}))
