"""Ratios are made inside a round, where noise hits both sides alike; of them the median is reported, with its ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

Rate = float | None
"""None: this round failed."""


class Spread(NamedTuple):
    median: float
    low: float
    high: float


def spread(values: Iterable[Rate]) -> Spread | None:
    """None where no round is left."""
    left = known(values)
    return Spread(median(left), min(left), max(left)) if left else None


def ratios(above: Sequence[Rate], below: Sequence[Rate]) -> list[Rate]:
    """One for each round that both have; None where one of the two failed."""
    return [a / b if a is not None and b else None for a, b in zip(above, below, strict=False)]


def known(values: Iterable[Rate]) -> list[float]:
    """Of the rounds that did not fail."""
    return [value for value in values if value is not None]


def best(rates: Iterable[Sequence[Rate]]) -> list[Rate]:
    """The highest of each round, whoever reached it."""
    return [
        max((rate for rate in of_round if rate is not None), default=None) for of_round in zip(*rates, strict=False)
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that so large a share does not exceed: ``share`` 0.99 is p99. Raises ValueError on none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]
