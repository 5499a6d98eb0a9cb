"""What is to be reached: ratios of one run, and what was found of each. A goal that is missed is said to be missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tests.bench.contestants import ABSENT, ASIDE, BEYOND, CACHES, CEILING, KEYED, PLAIN, RATIO, WEBDIS
from tests.bench.figures import Found
from tests.bench.ratios import Rate, Spread, best, ratios, spread

Results = Mapping[str, Found]
"""By the name of the cell. What was not measured is not there."""

MOST, LEAST = "≤", "≥"


class Goal(NamedTuple):
    """``of`` yields one value for each round; None for a round that failed, nothing where nothing was measured."""

    title: str
    sense: str
    limit: float
    of: Callable[[Results], Sequence[Rate]]
    worst_counts: bool = False
    """Not the median is held to the limit, but the worst round: for what must never be."""

    def is_reached(self, found: Spread) -> bool:
        if self.sense == LEAST:
            return (found.low if self.worst_counts else found.median) >= self.limit
        return (found.high if self.worst_counts else found.median) <= self.limit

    @property
    def limit_text(self) -> str:
        return f"{self.sense} {self.limit:g}"


class Verdict(NamedTuple):
    """``found`` None: nothing was measured, or every round failed."""

    goal: Goal
    found: Spread | None

    @property
    def text(self) -> str:
        if self.found is None:
            return "NOT MEASURED"
        return "reached" if self.goal.is_reached(self.found) else "MISSED"


def judge(results: Results) -> list[Verdict]:
    """Every goal, in order."""
    return [Verdict(goal, spread(goal.of(results))) for goal in GOALS]


def _against(cell: str, below: str) -> Callable[[Results], Sequence[Rate]]:
    def of(results: Results) -> Sequence[Rate]:
        found = results.get(cell, Found())
        return ratios(found.rates(ASIDE), found.rates(below))

    return of


def _against_best_cache(results: Results) -> Sequence[Rate]:
    found = results.get("warm", Found())
    return ratios(found.rates(ASIDE), best([found.rates(name) for name in CACHES if name in found.loads]))


def _with_keys(results: Results) -> Sequence[Rate]:
    found = results.get("keys", Found())
    return ratios(found.rates(KEYED), found.rates(CEILING))


def _figure(cell: str, name: str) -> Callable[[Results], Sequence[Rate]]:
    return lambda results: results.get(cell, Found()).figures.get(name, [])


def _busy(results: Results) -> Sequence[Rate]:
    """Beyond what is configured: nothing may be."""
    found = results.get("outage", Found())
    return [
        max(loading - found.facts["load_connections"], connected - found.facts["connections"], 0)
        for loading, connected in zip(
            found.figures.get("connections that load, at most", []),
            found.figures.get("connections at all, at most", []),
            strict=False,
        )
    ]


def _batch(results: Results) -> Sequence[Rate]:
    found = results.get("batch", Found())
    items = [None if rate is None else rate * found.facts["items"] for rate in found.rates("batch")]
    return ratios(items, found.rates("single"))


def _among_all(results: Results) -> Sequence[Rate]:
    found = results.get("warm-1m", Found())
    return ratios(found.rates("all keys"), found.rates("1,000 keys"))


GOALS: tuple[Goal, ...] = (
    Goal("warm hit ÷ ceiling", LEAST, 0.60, _against("warm", CEILING)),
    Goal("warm hit ÷ the best Python cache", LEAST, 6, _against_best_cache),
    Goal("warm hit ÷ Webdis", LEAST, 0.55, _against("warm", WEBDIS)),
    Goal("warm hit with a key in each request ÷ ceiling", LEAST, 0.60, _with_keys),
    Goal("cold miss ÷ no cache", LEAST, 3, _against("cold", PLAIN)),
    Goal("Valkey down ÷ no cache", LEAST, 5, _against("outage", PLAIN)),
    Goal("Valkey down: connections beyond those configured", MOST, 0, _busy, worst_counts=True),
    Goal("write ÷ plain upsert", LEAST, 0.9, _against("writes", PLAIN)),
    Goal("keys loaded for 1,000 concurrent misses of one key over 3 processes", MOST, 1,
         _figure("stampede", "keys loaded"), worst_counts=True),
    Goal("hot key, p99 through its expiry ÷ p99 in calm", MOST, 1.1, _figure("expiry", "p99 around ÷ in calm")),
    Goal("hits of others beside a flood of absent keys, p99 ÷ p99 in calm", MOST, 1.5,
         _figure("floods", f"{ABSENT}: {RATIO}")),
    Goal("hits of others beside a flood beyond the rate, p99 ÷ p99 in calm", MOST, 1.5,
         _figure("floods", f"{BEYOND}: {RATIO}")),
    Goal("hits among all keys ÷ among 1,000", LEAST, 0.9, _among_all),
    Goal("batch read of 100: items/s ÷ single reads/s", LEAST, 10, _batch),
    Goal("warming, rows/s", LEAST, 40_000, _figure("warming", "rows per second")),
    Goal("a change by plain SQL is visible, p99 in ms", MOST, 150, _figure("visibility", "p99, ms")),
    Goal("a change by plain SQL is visible, the longest in ms", MOST, 2_000, _figure("visibility", "max, ms"),
         worst_counts=True),
    Goal("from the start of a process to ready, s", MOST, 3, _figure("start", "seconds to ready")),
)  # fmt: skip
