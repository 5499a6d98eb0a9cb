"""A budget of reads that find nothing, so that a flood of ids that never were costs a bounded share of a process. Pure.

Each absence that PostgreSQL had to confirm takes one from the budget. While nothing is left, misses go on one by one,
evenly, for none can be told from the flood; who would have to wait too long for its turn is refused. So the flood's
cost is that of the budget, whatever its size: loads, turns of the event loop, and entries of absence in Redis,
`per_second` times their lifetime, per process. Absences that the cache knows of are hits, and free.
"""

from __future__ import annotations

_SAVED_SECONDS = 5.0
"""At the default rate, a batch of a thousand things that are not there is no flood."""
_DEBT_SECONDS = 0.25
"""Reads under way when it ran out are paid for afterwards, but not for ever."""
PATIENCE_SECONDS = 0.25
"""The longest that a miss waits for its turn. Many at the same moment would hold up hits; one by one they do not."""


class AbsenceBudget:
    """``per_second`` absences in the long run. Times are monotonic seconds."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._left = per_second * _SAVED_SECONDS
        self._at: float | None = None
        self._last_turn = 0.0

    def wait(self, now: float) -> float | None:
        """In how many seconds a miss may go on; None where that is too long."""
        if not self.is_spent(now):
            return 0.0
        turn = max(self._last_turn, now) + 1 / self._per_second
        if turn - now > PATIENCE_SECONDS:
            return None
        self._last_turn = turn
        return turn - now

    def spend(self, now: float) -> None:
        """A read has found that there is nothing."""
        self._refill(now)
        self._left = max(self._left - 1, -self._per_second * _DEBT_SECONDS)

    def is_spent(self, now: float) -> bool:
        self._refill(now)
        return self._left < 1

    def _refill(self, now: float) -> None:
        if self._at is not None:
            most = self._per_second * _SAVED_SECONDS
            self._left = min(most, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
