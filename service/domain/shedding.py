"""What is refused when a process has more to do than it can do in time, and what is not. Pure.

Health > writes > reads > misses > bulk: each kind has a patience of its own, and what matters least has the least.
What is held against it is the wait that is standing: the least of the last few, so that one slow turn of the event loop
(a collection, a large answer, a process that was stopped) refuses nobody.
"""

from __future__ import annotations

from collections import deque
from enum import Enum


class Work(Enum):
    """A kind of request. Of a read it is known only after a look at the cache whether it is a hit or a miss."""

    HEALTH = "health"
    WRITE = "write"
    READ = "read"
    MISS = "miss"
    BULK = "bulk"


PATIENCE_SECONDS = {Work.BULK: 0.25, Work.MISS: 0.5, Work.READ: 1.0, Work.WRITE: 2.0}
"""The standing lag at which each kind is refused. A quarter of a second is what one turn takes for a thousand hits at
once on a slow core; two seconds are a statement timeout: a write that begins later is late anyway."""

LOOKS = 5


class Shedding:
    """Of one process. ``refuses_any`` and ``refuses_reads`` are attributes, since every hit asks."""

    def __init__(self) -> None:
        self._lags = deque([0.0] * LOOKS, maxlen=LOOKS)
        self.standing_seconds = 0.0
        self.refuses_any = False
        self.refuses_reads = False

    def note(self, lag_seconds: float) -> None:
        """How late the event loop was, each time it is looked at."""
        self._lags.append(lag_seconds)
        self.standing_seconds = min(self._lags)
        self.refuses_any = any(map(self.refuses, Work))
        self.refuses_reads = self.refuses(Work.READ)

    def refuses(self, work: Work) -> bool:
        """Health is always answered: who asks may be about to end the process because it does not."""
        return work is not Work.HEALTH and self.standing_seconds >= PATIENCE_SECONDS[work]
