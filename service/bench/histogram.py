"""Latencies as counts in buckets that grow with the value, as in HdrHistogram: fixed size, at most 1 % wrong. Pure.

Whole microseconds. Below 256 each value has a bucket; above, every doubling is split into 128, so the upper end of a
bucket, which is what is told, is less than 1/128 above any value in it. Counts can be added up and subtracted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

_SPLIT_BITS = 7
_SPLIT = 1 << _SPLIT_BITS
_DOUBLINGS = 22
_LAST = (_DOUBLINGS + 1) * _SPLIT - 1
LONGEST_US = (1 << (_SPLIT_BITS + _DOUBLINGS)) - 1
"""Nine minutes: what is longer is counted as this long. The exact maximum is kept beside it."""


class Bucket(NamedTuple):
    upper_us: int
    times: int


class Histogram:
    """Starts empty. Not for several threads."""

    __slots__ = ("_counts", "longest_us", "total_us")

    def __init__(self) -> None:
        self._counts = [0] * (_LAST + 1)
        self.total_us = 0
        self.longest_us = 0

    def __getstate__(self) -> tuple[dict[int, int], int, int]:
        """Small to send: most buckets are empty."""
        return {place: count for place, count in enumerate(self._counts) if count}, self.total_us, self.longest_us

    def __setstate__(self, state: tuple[dict[int, int], int, int]) -> None:
        counts, self.total_us, self.longest_us = state
        self._counts = [counts.get(place, 0) for place in range(_LAST + 1)]

    def record(self, us: int) -> None:
        """One latency; negative ones, which a clock may yield, are none."""
        us = max(us, 0)
        shift = us.bit_length() - _SPLIT_BITS - 1
        place = us if shift <= 0 else (shift << _SPLIT_BITS) + (us >> shift)
        self._counts[min(place, _LAST)] += 1
        self.total_us += us
        self.longest_us = max(self.longest_us, us)

    def add(self, other: Histogram) -> None:
        """Count what the other one has as well."""
        self._counts = [mine + others for mine, others in zip(self._counts, other._counts, strict=True)]
        self.total_us += other.total_us
        self.longest_us = max(self.longest_us, other.longest_us)

    def since(self, before: Histogram) -> Histogram:
        """What was recorded after ``before``, an earlier state of this one. Its longest is known to a bucket only."""
        later = Histogram()
        later._counts = [now - then for now, then in zip(self._counts, before._counts, strict=True)]
        later.total_us = self.total_us - before.total_us
        later.longest_us = min(max((bucket.upper_us for bucket in later.buckets()), default=0), self.longest_us)
        return later

    def buckets(self) -> Iterator[Bucket]:
        """Those that are not empty, shortest first."""
        return (Bucket(_upper_us(place), count) for place, count in enumerate(self._counts) if count)

    @property
    def count(self) -> int:
        return sum(self._counts)

    @property
    def mean_us(self) -> float:
        """0.0 where nothing was recorded."""
        count = self.count
        return self.total_us / count if count else 0.0

    def percentile_us(self, percent: float) -> int:
        """The smallest latency that this share of all does not exceed (nearest rank); 0 where nothing was recorded."""
        rank = max(1, math.ceil(self.count * percent / 100))
        seen = 0
        for upper_us, times in self.buckets():
            seen += times
            if seen >= rank:
                return min(upper_us, self.longest_us)
        return self.longest_us


def _upper_us(place: int) -> int:
    """The largest value of a bucket."""
    shift = max((place >> _SPLIT_BITS) - 1, 0)
    return ((place - (shift << _SPLIT_BITS) + 1) << shift) - 1
