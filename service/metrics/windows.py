"""What was counted lately: a ring of snapshots of counters. Pure: the time (monotonic seconds) is an argument."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from service.metrics.totals import Totals


class Window(NamedTuple):
    """``seconds`` is how far it really reaches back: up to one step further than was asked, or to the start."""

    seconds: float
    added: Totals


class Windows:
    """Keeps as many snapshots as the longest window needs, each at least ``step_seconds`` after the one before."""

    def __init__(self, *, longest_seconds: float, step_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._step_seconds = step_seconds
        self._ring: deque[tuple[float, Totals]] = deque()

    def add(self, now: float, totals: Totals) -> None:
        """A snapshot. One that comes too early is left out."""
        if self._ring and now - self._ring[-1][0] < self._step_seconds:
            return
        self._ring.append((now, totals))
        # The second one may serve as the beginning of the longest window: then nobody needs the first any more.
        while len(self._ring) > 1 and now - self._ring[1][0] >= self._longest_seconds:
            self._ring.popleft()

    def over(self, seconds: float, now: float, totals: Totals) -> Window:
        """What was added to ``totals``, which were read ``now``, in the last ``seconds``."""
        first = self._ring[0] if self._ring else (now, totals)
        for snapshot in self._ring:
            if now - snapshot[0] < seconds:
                break
            first = snapshot
        return Window(now - first[0], totals.since(first[1]))

    def __len__(self) -> int:
        return len(self._ring)
