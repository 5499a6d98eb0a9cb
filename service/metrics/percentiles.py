"""Percentiles out of the buckets of a histogram, interpolated as Prometheus does it. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


def percentile(share: float, bounds: Sequence[float], cumulative: Sequence[float]) -> float | None:
    """The value that ``share``, in (0, 1], of the observations do not exceed; None where there are none.

    ``bounds`` are the upper ends of the buckets, ascending, the last one infinite; ``cumulative`` counts what is not
    above each. Inside its bucket an observation may be anywhere: a straight line is drawn from the lower end, which is
    0 in the first one. Of what is above the last finite bound, only that bound is known: it is the answer then.
    """
    if not cumulative or cumulative[-1] <= 0:
        return None
    # Sums that are read while somebody adds to them may not rise everywhere.
    counts = list(accumulate(cumulative, max))
    rank = share * counts[-1]
    place = bisect_left(counts, rank)
    if math.isinf(bounds[place]):
        return bounds[place - 1] if place else None
    lower, below = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    inside = counts[place] - below
    return lower + (bounds[place] - lower) * ((rank - below) / inside)
