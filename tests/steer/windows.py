"""Calm and busy windows in turn, and what hits were like in each pair of neighbours."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from tests.bench.ratios import Spread, spread
from tests.steer.load import Hits, Timed
from tests.steer.slowlog import Slowest

_REST_SECONDS = 0.25
"""Between two windows: what was begun in one shall not count in the other."""


class Window(NamedTuple):
    """On the monotonic clock. ``items``: rows or keys that were done; ``slowest``: the longest command of Valkey."""

    begins: float
    ends: float
    items: int
    slowest: Slowest


class Pair(NamedTuple):
    calm: Window
    busy: Window


class Figure(NamedTuple):
    """Of one pair."""

    calm: Timed
    busy: Timed

    @property
    def p99_ratio(self) -> float:
        return self.busy.p99 / self.calm.p99

    @property
    def p50_ratio(self) -> float:
        return self.busy.p50 / self.calm.p50


@dataclass(slots=True)
class Leg:
    """One way of steering, in many windows. ``figures`` are known when the hits have been counted."""

    title: str
    pairs: list[Pair] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def count(self, hits: Hits) -> None:
        self.figures = [
            Figure(hits.between(pair.calm.begins, pair.calm.ends), hits.between(pair.busy.begins, pair.busy.ends))
            for pair in self.pairs
        ]

    @property
    def items(self) -> int:
        return sum(pair.busy.items for pair in self.pairs)

    @property
    def per_second(self) -> Spread:
        return self.of(pair.busy.items / (pair.busy.ends - pair.busy.begins) for pair in self.pairs)

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        found = spread(values)
        assert found is not None, "nothing was measured"
        return found

    @property
    def p99_ratio(self) -> Spread:
        return self.of(figure.p99_ratio for figure in self.figures)

    @property
    def noise(self) -> Spread | None:
        """The same ratio of each calm window to the one before: what would be found if nothing were steered."""
        calm = [figure.calm.p99 for figure in self.figures]
        return spread(after / before for before, after in itertools.pairwise(calm))

    @property
    def longest_ms(self) -> Spread:
        """The slowest hit of each busy window."""
        return self.of(figure.busy.longest for figure in self.figures)

    @property
    def slowest(self) -> Slowest:
        return max(pair.busy.slowest for pair in self.pairs)


class Turns:
    """``slowest`` tells the longest command of Valkey since it was last asked, or ``forget``; ``passed`` is told
    seconds.
    """

    def __init__(
        self, *, calm_seconds: float, slowest: Callable[[], Slowest], forget: Callable[[], None],
        passed: Callable[[float], None],
    ) -> None:  # fmt: skip
        self._calm_seconds = calm_seconds
        self._slowest = slowest
        self._forget = forget
        self._passed = passed

    def take(self, leg: Leg, work: Callable[[], int]) -> None:
        """A calm window, then ``work``, which returns how much it did."""
        self._pair(leg, self._window(partial(_rest, self._calm_seconds)), self._window(work))

    def take_before_as_long_a_calm(self, leg: Leg, work: Callable[[], int]) -> None:
        """The same the other way round: of windows that are not of one length, the slowest hits do not compare."""
        busy = self._window(work)
        self._pair(leg, self._window(partial(_rest, busy.ends - busy.begins)), busy)

    def _pair(self, leg: Leg, calm: Window, busy: Window) -> None:
        leg.pairs.append(Pair(calm, busy))
        self._passed(max(calm.ends, busy.ends) - min(calm.begins, busy.begins))

    def _window(self, work: Callable[[], int]) -> Window:
        time.sleep(_REST_SECONDS)
        self._forget()
        begins = time.monotonic()
        items = work()
        ends = time.monotonic()
        time.sleep(_REST_SECONDS)  # to be asked for its slow log holds the server up as well
        return Window(begins, ends, items, self._slowest())


def _rest(seconds: float) -> int:
    time.sleep(seconds)
    return 0
