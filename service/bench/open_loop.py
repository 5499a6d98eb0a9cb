"""Requests begin when the schedule says so, and wait for a connection where none is free. Latency includes the wait.

An event loop's timers count whole milliseconds, which a fast service's latency would drown in. The interval timer of
the process has microseconds, and its signal wakes the loop.
"""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from time import perf_counter

from service.bench.connection import Connection
from service.bench.driving import Driver
from service.bench.plan import Plan
from service.bench.requests import Prepared
from service.bench.schedule import Schedule
from service.bench.tally import LATE_SECONDS

_SHORTEST_SLEEP_SECONDS = 0.0002


class OpenLoop(Driver):
    """Of the free connections, the one that was used last is used next: the others may time out in peace."""

    def __init__(self, plan: Plan, process: int) -> None:
        super().__init__(plan, process)
        assert plan.rate is not None
        seconds = plan.warmup_seconds + plan.seconds
        self._schedule = Schedule(rate=plan.rate, seconds=seconds, process=process, processes=plan.processes)
        self._begun_requests = 0
        self._free: list[Connection] = []
        self._queue: deque[float] = deque()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def begin(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGALRM, self._wake)
        self._wake()

    def end(self) -> None:
        """No signal after this: one that comes when the loop is gone would end the process."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._ask_what_is_due()

    def lost(self, connection: Connection, request: Prepared | None) -> None:
        if connection in self._free:
            self._free.remove(connection)
        super().lost(connection, request)

    def free(self, connection: Connection) -> None:
        if self._queue:
            connection.send(self.requests.next(), self._queue.popleft())
        else:
            self._free.append(connection)

    def refused(self) -> None:
        """Those that find no connection wait, and expire."""

    def expire(self, now: float) -> None:
        """Nobody waits longer than the budget: for an answer, or for the chance to ask."""
        while self._queue and now - self._queue[0] > self.plan.timeout_seconds:
            self.failed(self.requests.next(), "timeout", self._queue.popleft())

    def _wake(self) -> None:
        if not self.is_asking:
            return
        self._ask_what_is_due()
        wait = self.begun + self._schedule.intended(self._begun_requests) - perf_counter()
        signal.setitimer(signal.ITIMER_REAL, max(wait, _SHORTEST_SLEEP_SECONDS))

    def _ask_what_is_due(self) -> None:
        elapsed = perf_counter() - self.begun
        # What becomes due meanwhile waits for the next turn: answers have to be read, too.
        while self._schedule.due(self._begun_requests, elapsed):
            self._ask(self.begun + self._schedule.intended(self._begun_requests))
            self._begun_requests += 1

    def _ask(self, intended: float) -> None:
        late = perf_counter() - intended
        if intended >= self.measured_from:
            self.report.latest = max(self.report.latest, late)
            self.report.late += late > LATE_SECONDS
        while self._free:
            connection = self._free.pop()
            if connection.is_open and connection.request is None:
                connection.send(self.requests.next(), intended)
                return
        self._queue.append(intended)
