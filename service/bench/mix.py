"""Which kinds of requests there are, in which shares, and which keys they go to. Pure: every draw is an argument."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from service.bench.errors import BadOptionError


class Kind(StrEnum):
    READS = "reads"
    WRITES = "writes"
    CONDITIONAL = "if-none-match"
    ABSENT = "absent"
    BATCH = "batch-read"


class Distribution(StrEnum):
    UNIFORM = "uniform"
    ZIPF = "zipf"


@dataclass(frozen=True, slots=True)
class Share:
    kind: Kind
    weight: float


def parse_mix(text: str) -> tuple[Share, ...]:
    """`reads=95,writes=5`: weights, which need not add up to 100. Raises BadOptionError."""
    shares: list[Share] = []
    for part in text.split(","):
        name, separator, number = (piece.strip() for piece in part.partition("="))
        if name not in {kind.value for kind in Kind}:
            raise BadOptionError(f"--mix: {name!r} is none of {', '.join(Kind)}")
        if Kind(name) in {share.kind for share in shares}:
            raise BadOptionError(f"--mix: {name} is given twice")
        try:
            weight = float(number) if separator else 1.0
        except ValueError:
            weight = -1.0
        if not 0 < weight < float("inf"):
            raise BadOptionError(f"--mix: the share of {name} must be a number above 0, not {number!r}")
        shares.append(Share(Kind(name), weight))
    return tuple(shares)


class Chooser:
    """Picks places in a list by their weights."""

    __slots__ = ("_ends", "_last")

    def __init__(self, weights: Sequence[float]) -> None:
        total = sum(weights)
        self._ends = [end / total for end in accumulate(weights)]
        self._last = len(weights) - 1

    def pick(self, draw: float) -> int:
        """The place that a draw from [0, 1) falls into."""
        return min(bisect_right(self._ends, draw), self._last)


class EvenChooser:
    """Picks places of equal weight; needs no table, however many there are."""

    __slots__ = ("_count",)

    def __init__(self, count: int) -> None:
        self._count = count

    def pick(self, draw: float) -> int:
        """The place that a draw from [0, 1) falls into."""
        return min(int(draw * self._count), self._count - 1)


def chooser_of_kinds(mix: Sequence[Share]) -> Chooser:
    return Chooser([share.weight for share in mix])


def chooser_of_keys(count: int, distribution: Distribution, zipf_s: float) -> Chooser | EvenChooser:
    """Uniform, or the n-th key in proportion to 1/n^s: the first keys are the popular ones."""
    if distribution is Distribution.UNIFORM:
        return EvenChooser(count)
    return Chooser([rank**-zipf_s for rank in range(1, count + 1)])
