"""The scheduler: one heap of events, virtual time, and one seeded source of all chance."""

from __future__ import annotations

from asyncio.events import _set_running_loop
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any

from tests.simulation.clock import HOST
from tests.simulation.loop import Handle, Loop

EPOCH_SECONDS = 1_700_000_000.0
_TICK = 1e-9


class RunawayError(Exception):
    """More events than any sound run has: something goes round in circles."""


class Simulator:
    """``now`` is the true time in seconds; no process knows it. ``trace`` collects what happens, where it is a list."""

    def __init__(self, seed: int, *, trace: list[str] | None = None) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.runnable: list[Loop] = []
        self.host = HOST
        self.events = 0
        self.complaints: list[str] = []
        self.trace = trace
        self._heap: list[tuple[float, int, Handle]] = []
        self._count = 0
        self._is_over = False

    def at(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """An event of the world."""
        handle = Handle(callback, args, None)
        self._count += 1
        heappush(self._heap, (when, self._count, handle))
        return handle

    def after(self, delay: float, callback: Callable[..., object], *args: Any) -> Handle:
        return self.at(self.now + delay, callback, *args)

    def arrival(self, when: float, loop: Loop, callback: Callable[..., object], *args: Any) -> None:
        """Something that comes in from the network, at a process."""
        self._count += 1
        heappush(self._heap, (when, self._count, Handle(callback, args, loop)))

    def timer(self, when: float, loop: Loop, callback: Callable[..., object], args: tuple[Any, ...]) -> Handle:
        """A process's own timer. Time always moves on a little: sums of large offsets are rounded."""
        handle = Handle(callback, args, loop)
        handle.is_timer = True
        self._count += 1
        heappush(self._heap, (max(when, self.now) + _TICK, self._count, handle))
        return handle

    def run(self, *, until: float, most_events: int = 200_000) -> None:
        """Until `stop` is called, or ``until`` (seconds of true time)."""
        heap, runnable, rng = self._heap, self.runnable, self.rng
        self._is_over = False
        try:
            while not self._is_over:
                while runnable:
                    place = 0 if len(runnable) == 1 else int(rng.random() * len(runnable))
                    runnable.pop(place).run_ready()
                if not heap or self._is_over:
                    return
                when, _, handle = heappop(heap)
                if handle.callback is None:
                    continue
                if when > until:
                    heappush(heap, (when, 0, handle))
                    self.now = until
                    return
                self.now = when
                self.events += 1
                if self.events > most_events:
                    raise RunawayError(f"{most_events} events by {self.now:.3f} s")
                if handle.loop is None:
                    handle.callback(*handle.args)
                else:
                    handle.loop.fire(handle)
        finally:
            _set_running_loop(None)

    def stop(self) -> None:
        self._is_over = True

    def forget(self) -> None:
        """Let go of what is still to come."""
        self._heap.clear()

    def complain(self, text: str) -> None:
        """Something happened that must never happen."""
        self.complaints.append(f"at {self.now:.6f} s: {text}")

    def note(self, who: str, what: str) -> None:
        """One line of the trace; ask `trace is not None` before making the text."""
        if self.trace is not None:
            self.trace.append(f"{self.now:11.6f}  {who:<10} {what}")
