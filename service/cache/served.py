"""Some of the names that this process has answered out of the cache lately: what the audit looks at first."""

from __future__ import annotations

import random
from collections import deque


class Served:
    """Keeps one in ``one_in`` hits on average, the last ``kept`` of them. A key that is read often is kept often."""

    def __init__(self, *, one_in: int = 32, kept: int = 256) -> None:
        self._one_in = one_in
        self._names: deque[str] = deque(maxlen=kept)

    def note(self, name: str) -> int:
        """Keep this one; returns how many hits to let pass until the next. Drawn: a rhythm of reads must not matter."""
        self._names.append(name)
        return random.randrange(1, 2 * self._one_in)  # noqa: S311 (no secret)

    def take(self, count: int) -> list[str]:
        """Up to ``count`` different names, the latest first. Those taken are forgotten."""
        taken: dict[str, None] = {}
        while self._names and len(taken) < count:
            taken[self._names.pop()] = None
        return list(taken)
