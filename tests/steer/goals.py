"""What is to be reached, and whether it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.steer.ways import COMMAND_AT_RATE, DEFAULT, PURGE_PREFIX, PURGE_TYPE
from tests.steer.windows import Leg


class Goal(NamedTuple):
    """``of`` is held to the limit; of a leg that was not measured nothing is said."""

    title: str
    leg: str
    limit: float
    of: Callable[[Leg], float]

    def is_reached(self, legs: Mapping[str, Leg]) -> bool:
        return self.leg not in legs or self.of(legs[self.leg]) <= self.limit

    def line(self, legs: Mapping[str, Leg]) -> str:
        """Empty where it was not measured."""
        if self.leg not in legs:
            return ""
        verdict = "reached" if self.is_reached(legs) else "MISSED"
        return f"{self.title}: {self.of(legs[self.leg]):.2f}, and at most {self.limit:g} is wanted: **{verdict}**"


def _p99(leg: Leg) -> float:
    return leg.p99_ratio.median


def _longest(leg: Leg) -> float:
    return leg.longest_ms.high


GOALS = (
    Goal("p99 of hits while a job warms at the default rate ÷ p99 in calm", DEFAULT, 1.2, _p99),
    Goal("the same for `aside warm` at that rate", COMMAND_AT_RATE, 1.2, _p99),
    Goal("the slowest hit while all keys are purged by a prefix, ms", PURGE_PREFIX, 20.0, _longest),
    Goal("the slowest hit while a whole type is purged, ms", PURGE_TYPE, 20.0, _longest),
)
