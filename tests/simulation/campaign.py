"""Many seeds: spread over processes, added up, and told as a report."""

from __future__ import annotations

import gc
import multiprocessing
import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.simulation.clock import simulated_hosts
from tests.simulation.themes import SWARM
from tests.simulation.world import simulate

_SEEDS_PER_TASK = 200
_SEEDS_PER_COLLECTION = 40
_TOLD = 200
"""So many violations are kept in words; all are counted."""


@dataclass(slots=True)
class Tally:
    """What many runs came to."""

    seeds: int = 0
    operations: int = 0
    events: int = 0
    simulated_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, list[str]]] = field(default_factory=list)
    """By seed."""

    def add(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.operations += other.operations
        self.events += other.events
        self.simulated_seconds += other.simulated_seconds
        self.counts.update(other.counts)
        self.violations += other.violations

    def report(self, *, first: int, elapsed_seconds: float, jobs: int) -> dict[str, Any]:
        """As JSON: no shapes but objects, lists, strings and numbers."""

        def some(prefix: str) -> dict[str, int]:
            return {
                name.removeprefix(prefix): count for name, count in sorted(self.counts.items())
                if name.startswith(prefix)
            }  # fmt: skip

        outcomes: Counter[str] = Counter()
        for name, count in self.counts.items():
            if ": " in name:
                outcomes[name.partition(": ")[2]] += count
        return {
            "first_seed": first,
            "seeds": self.seeds,
            "operations": self.operations,
            "events": self.events,
            "simulated_seconds": round(self.simulated_seconds, 3),
            "faults": some("fault "),
            "operations_by_kind_and_outcome": {
                name: count for name, count in sorted(self.counts.items()) if ": " in name
            },
            "answers_by_outcome": dict(sorted(outcomes.items())),
            "writes_deferred": self.counts["write deferred"],
            "cancelled": outcomes["cancelled"],
            "happenings": {
                name: count for name, count in sorted(self.counts.items())
                if ": " not in name and not name.startswith("fault ")
            },
            "violations": len(self.violations),
            "violations_by_seed": {str(seed): lines for seed, lines in sorted(self.violations)[:_TOLD]},
            "elapsed_seconds": round(elapsed_seconds, 3),
            "seeds_per_second": round(self.seeds / elapsed_seconds, 1) if elapsed_seconds else 0.0,
            "jobs": jobs,
            "python": platform.python_version(),
        }  # fmt: skip


def run_seeds(seeds: Iterable[int], *, theme: str = SWARM, stop_at_first: bool = False) -> Tally:
    """In this process, one after the other."""
    tally = Tally()
    with simulated_hosts(), _rarely_collected():
        for seed in seeds:
            result = simulate(seed, theme=theme)
            tally.seeds += 1
            tally.operations += result.operations
            tally.events += result.events
            tally.simulated_seconds += result.seconds
            tally.counts.update(result.counts)
            if result.violations:
                tally.violations.append((seed, result.violations))
                if stop_at_first:
                    break
            if tally.seeds % _SEEDS_PER_COLLECTION == 0:
                gc.collect()
    return tally


def spread(first: int, count: int, *, jobs: int, theme: str = SWARM, stop_at_first: bool = False) -> Iterator[Tally]:
    """Over processes, in pieces, in the order of seeds. ``stop_at_first``: a piece ends with its first violation."""
    run = partial(run_seeds, theme=theme, stop_at_first=stop_at_first)
    pieces = (
        range(at, min(at + _SEEDS_PER_TASK, first + count)) for at in range(first, first + count, _SEEDS_PER_TASK)
    )
    if jobs == 1:
        yield from map(run, pieces)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(run, pieces)


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """The collector of cycles costs more than a run, and finds nothing that is needed before its end."""
    was_on = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()
        gc.collect()
