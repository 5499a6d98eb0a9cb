"""Moments that are kept apart, so that what would happen in one turn of the event loop happens in many. Pure.

Clients that are refused together, and ask again as soon as they are told, would stay together for ever: each time, all
of their refusals, and all of their requests after that, would be one long turn, for which everybody else waits.
"""

from __future__ import annotations

APART_SECONDS = 0.0005
"""About ten times what a refusal costs, from its request to its answer: the others have nine tenths of the time."""
LONGEST_SECONDS = 0.8
"""No more than this is added, however many are waiting: they have connections open."""


class Spacing:
    """Of what is told to happen later. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._last = 0.0

    def wait(self, now: float, *, at_least: float) -> float:
        """In how many seconds the next one happens: after ``at_least``, and after all that came before it."""
        earliest = now + at_least
        self._last = min(max(earliest, self._last + APART_SECONDS), earliest + LONGEST_SECONDS)
        return self._last - now
