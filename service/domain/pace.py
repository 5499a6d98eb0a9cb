"""How long a kind of work takes lately, and so how long a queue of it is. Pure: the time is an argument, in seconds."""

from __future__ import annotations

_NEWEST_COUNTS = 0.2
"""The share of the newest one in the average: after ten, nine tenths of the past are forgotten."""


class Pace:
    """``at_once`` is how many of the kind may be under way at the same time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._began: list[float] = []
        self._average: float | None = None

    def began(self, now: float) -> None:
        self._began.append(now)

    def ended(self, began: float, now: float) -> None:
        """``began`` is what `began` was told."""
        self._began.remove(began)
        took = now - began
        self._average = took if self._average is None else self._average + _NEWEST_COUNTS * (took - self._average)

    def wait(self, now: float, *, turns_before: int) -> float:
        """How long, in seconds, it takes until one that comes now is done; 0 where it need not wait for its turn.

        The oldest under way is the first to know that all have become slow: its age counts, if it is more than the
        average.

            three queries wait for a lock: 0 s ─────────── 1.5 s; what comes now waits 1.5 s × (1 + 1/3) = 2 s
        """
        if len(self._began) < self._at_once:
            return 0.0
        each = max(self._average or 0.0, now - min(self._began))
        return each * (1 + (1 + turns_before) / self._at_once)
