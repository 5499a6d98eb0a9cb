"""Which names are read most: counts of a sample, that fade. Pure: the time (monotonic seconds) is an argument."""

from __future__ import annotations

import math
from typing import NamedTuple


class Heat(NamedTuple):
    """An estimate, over about the last ``half_life_seconds`` of a `TopKeys`."""

    name: str
    reads_per_second: float


class TopKeys:
    """Keeps up to ``kept`` names between two looks, and twice as many for a moment: then the coldest half is forgotten.

    A count fades to a half in ``half_life_seconds``. Each note stands for ``weight`` reads.
    """

    def __init__(
        self, now: float, *, kept: int = 2_000, half_life_seconds: float = 300.0, weight: float = 32.0
    ) -> None:
        self._counts: dict[str, float] = {}
        self._kept = kept
        self._half_life_seconds = half_life_seconds
        self._weight = weight
        self._began_at = self._faded_at = now

    def note(self, name: str) -> None:
        """One read that stands for many."""
        counts = self._counts
        counts[name] = counts.get(name, 0.0) + 1.0
        if len(counts) > 2 * self._kept:
            self._counts = dict(sorted(counts.items(), key=_count, reverse=True)[: self._kept])

    def top(self, now: float, limit: int) -> list[Heat]:
        """The hottest first. What has faded away is forgotten."""
        self._fade(now)
        hottest = sorted(self._counts.items(), key=_count, reverse=True)[:limit]
        # A steady rate adds up to rate × half-life / ln 2, once that has gone on for much longer than a half-life.
        share = 1 - 0.5 ** ((now - self._began_at) / self._half_life_seconds)
        span_seconds = max(1.0, self._half_life_seconds / math.log(2) * share)
        return [Heat(name, count * self._weight / span_seconds) for name, count in hottest]

    def _fade(self, now: float) -> None:
        factor = 0.5 ** ((now - self._faded_at) / self._half_life_seconds)
        self._faded_at = now
        faded = {name: count * factor for name, count in self._counts.items() if count * factor > 0.05}
        self._counts = dict(sorted(faded.items(), key=_count, reverse=True)[: self._kept])


def _count(item: tuple[str, float]) -> float:
    return item[1]
