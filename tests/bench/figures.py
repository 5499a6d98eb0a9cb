"""What is found: loads of wrk, and whatever else a cell measures, all of it by round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.bench.ratios import Spread, spread

TOLERATED_ERRORS = 0.001
"""A share of the requests. With more of them failing, a load is no measure of a speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run of wrk. Answers of 400 and above, and what got no answer, are errors and never throughput."""

    requests: int
    seconds: float
    errors: Mapping[str, int]
    """By kind: connect, read, write, timeout, status."""
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    hits: float | None = None
    """The share that the service itself counted as answered out of the cache; None where nobody counts."""
    cpu_us: float | None = None
    """Of the server's own processor time, per request. A busy machine disturbs it less than anything else here."""

    @property
    def per_second(self) -> float:
        """Good answers."""
        return max(0, self.requests - self.errors.get("status", 0)) / self.seconds

    @property
    def is_clean(self) -> bool:
        return self.requests > 0 and sum(self.errors.values()) <= TOLERATED_ERRORS * self.requests

    def seen_from_inside(self, *, hits: float | None = None, cpu_seconds: float | None = None) -> Load:
        """The same, with what the server says, and what it used."""
        cpu_us = None if cpu_seconds is None or not self.requests else cpu_seconds / self.requests * 1e6
        return replace(self, hits=hits, cpu_us=cpu_us)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "per_second": self.per_second}


@dataclass(slots=True, kw_only=True)
class Found:
    """Of one cell. Lists have one item for each round, in order."""

    loads: dict[str, list[Load]] = field(default_factory=dict)
    """By target."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """Whatever else a table or a picture shows."""
    left_out: dict[str, str] = field(default_factory=dict)
    """A target, or the whole cell, and why."""
    seconds: float = 0.0
    """What it took."""

    def rates(self, target: str, *, even_with_errors: bool = False) -> list[float | None]:
        """Good answers per second; None for a round that failed."""
        loads = self.loads.get(target, [])
        return [load.per_second if load.is_clean or even_with_errors else None for load in loads]

    def cpus(self, target: str) -> list[float | None]:
        """The server's own microseconds of a request; None for a round that failed, or where nobody could look."""
        return [load.cpu_us if load.is_clean else None for load in self.loads.get(target, [])]

    def rate(self, target: str) -> Spread | None:
        return spread(self.rates(target, even_with_errors=True))

    def errors(self, target: str) -> dict[str, int]:
        """Over all rounds, by kind, those that happened."""
        total: dict[str, int] = {}
        for load in self.loads.get(target, []):
            for kind, count in load.errors.items():
                if count:
                    total[kind] = total.get(kind, 0) + count
        return total

    def to_json(self) -> dict[str, Any]:
        return {
            "loads": {target: [load.to_json() for load in loads] for target, loads in self.loads.items()},
            "figures": self.figures,
            "facts": self.facts,
            "left_out": self.left_out,
            "seconds": self.seconds,
        }
