"""A token bucket: what one client may still send. Pure; times are monotonic seconds."""

from __future__ import annotations

CALM_SECONDS = 1.0
"""Without a refusal, until a pause counts as one: what `Retry-After` says at the least."""
HURRIED_SECONDS = 0.01
"""Of its rate, so much and no more is saved for a client that was refused since: it waits for its refusals, and what it
might send after them, all at once, would hold up everybody else."""


class Allowance:
    """``unsettled`` is what was granted here and not told to the others yet; ``known_total`` what all together had
    granted when they were told last, None before.
    """

    __slots__ = ("_at", "_refused_at", "known_total", "left", "unsettled")

    def __init__(self, burst: float, now: float) -> None:
        self.left = burst
        self.unsettled = 0
        self.known_total: int | None = None
        self._at = now
        self._refused_at = float("-inf")

    def take(self, now: float, *, rate: float, burst: float) -> bool:
        """One request more, if it is allowed."""
        most = burst if now - self._refused_at >= CALM_SECONDS else max(1.0, min(burst, rate * HURRIED_SECONDS))
        self.left = left = min(most, self.left + (now - self._at) * rate)
        self._at = now
        if left < 1:
            self._refused_at = now
            return False
        self.left = left - 1
        self.unsettled += 1
        return True

    def seconds_until_next(self, rate: float) -> float:
        return max(0.0, 1 - self.left) / rate

    def is_full(self, now: float, *, rate: float, burst: float) -> bool:
        """Whether it says no more than a new one would."""
        is_calm = now - self._refused_at >= CALM_SECONDS
        return is_calm and not self.unsettled and self.left + (now - self._at) * rate >= burst

    def settled(self, told: int, total: int, *, burst: float) -> None:
        """``told`` of the unsettled were added to what all have granted, which is ``total`` now.

        What the others granted since is taken off here. A total below what was known has begun anew.
        """
        self.unsettled -= told
        if self.known_total is not None:
            before = self.known_total if total >= self.known_total + told else 0
            self.left = max(-burst, self.left - max(0, total - before - told))
        self.known_total = total

    def forget_unsettled(self) -> None:
        """The others could not be told. What the total is now, nobody here knows."""
        self.unsettled = 0
        self.known_total = None
