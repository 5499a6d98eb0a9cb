"""What is counted in one leg, and how sure it is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.registers import Stale

_Z = 1.959964
_PER = 1_000_000


def interval(found: int, among: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share: Wilson's; by the rule of three where nothing was found."""
    if among == 0:
        return 0.0, 1.0
    if found == 0:
        return 0.0, min(1.0, 3 / among)
    share, square = found / among, _Z * _Z / among
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / among + square / among / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(slots=True)
class Figures:
    """``longest_seconds`` is the longest time for which a returned value had been replaced when the read began."""

    reads: int = 0
    hits: int = 0
    stale: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    wrong: int = 0
    """Answers that belong to another key."""
    writes: int = 0
    plain_sql: int = 0
    died: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def read(self, stale: Stale | None, *, is_hit: bool) -> None:
        self.reads += 1
        self.hits += is_hit
        if stale is not None:
            self.stale[stale.behind.name.lower()] += 1
            self.longest_seconds = max(self.longest_seconds, stale.seconds)

    def failed(self, name: str) -> None:
        self.failures[name] += 1

    @property
    def stale_reads(self) -> int:
        return self.stale.total()

    @property
    def per_million(self) -> float:
        return self.stale_reads / self.reads * _PER if self.reads else 0.0

    @property
    def per_million_interval(self) -> tuple[float, float]:
        low, high = interval(self.stale_reads, self.reads)
        return low * _PER, high * _PER

    def to_json(self) -> dict[str, Any]:
        low, high = self.per_million_interval
        return {
            "reads": self.reads,
            "stale_reads": self.stale_reads,
            "stale_reads_behind": dict(self.stale),
            "stale_per_million": self.per_million,
            "stale_per_million_95": [low, high],
            "longest_staleness_seconds": self.longest_seconds,
            "hit_ratio": self.hits / self.reads if self.reads else 0.0,
            "reads_per_second": self.reads / self.seconds if self.seconds else 0.0,
            "answers_of_another_key": self.wrong,
            "writes": self.writes,
            "plain_sql_writes": self.plain_sql,
            "writers_died": self.died,
            "failed_operations": dict(self.failures),
            "faults": self.faults,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
        }
