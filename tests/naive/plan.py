"""What is done, and what breaks meanwhile: drawn from a seed, the same for every strategy."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, NamedTuple

FAULTS = {"cut": 4, "delay": 3, "drop": 3, "restart": 1, "evict": 1}
"""Kinds, and how often each comes."""
_CHUNK = 4_096


class Kind(IntEnum):
    READ = 0
    WRITE = 1
    SQL = 2


class Operation(NamedTuple):
    kind: Kind
    key: str
    replica: int
    dies: bool


class Fault(NamedTuple):
    """``at`` is the number of the operation before which it begins: all strategies meet it at the same work."""

    at: int
    kind: str
    replica: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``workers`` tasks share one sequence of operations, each with one at a time."""

    seed: int = 1
    operations: int = 220_000
    keys: int = 200
    zipf: float = 1.0
    reads: float = 0.90
    writes: float = 0.08
    replicas: int = 3
    workers: int = 300
    ttl_seconds: float = 5.0
    bound_seconds: float = 2.0
    connections: int = 14
    fault_every: int = 6_000
    """Operations between the beginnings of two faults, on average."""
    dies: float = 0.002
    """The share of writers that die between commit and cache, in the leg with failures."""

    @property
    def names(self) -> list[str]:
        return [f"key-{number}" for number in range(self.keys)]

    def work(self, *, with_failures: bool) -> Iterator[Operation]:
        rng = random.Random(self.seed)
        names = self.names
        weights = list(itertools.accumulate(1 / (rank + 1) ** self.zipf for rank in range(self.keys)))
        kinds = list(itertools.accumulate((self.reads, self.writes, 1 - self.reads - self.writes)))
        dies = self.dies if with_failures else 0.0
        replicas = range(self.replicas)
        left = self.operations
        while left > 0:
            count = min(left, _CHUNK)
            left -= count
            drawn = zip(
                rng.choices(tuple(Kind), cum_weights=kinds, k=count),
                rng.choices(names, cum_weights=weights, k=count),
                rng.choices(replicas, k=count),
                [rng.random() < dies for _ in range(count)],
                strict=True,
            )
            yield from map(Operation._make, drawn)

    def faults(self) -> list[Fault]:
        rng = random.Random(f"faults {self.seed}")
        found: list[Fault] = []
        at = 0.0
        while True:
            at += self.fault_every * rng.uniform(0.5, 1.5)
            [kind] = rng.choices(list(FAULTS), weights=list(FAULTS.values()))
            fault = Fault(int(at), kind, rng.randrange(self.replicas), rng.uniform(0.05, 0.5))
            if at >= self.operations:
                return found
            found.append(fault)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
