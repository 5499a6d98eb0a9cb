"""Hits that go on beside everything else, in a process of their own; afterwards, what each stretch of time was like."""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.ratios import percentile
from tests.steer.plan import Plan
from tests.support.service_process import ROOT

_END_SECONDS = 30.0


class Timed(NamedTuple):
    """The hits that were due in one window; in ms. ``longest_in_valkey``: of the slowest, what was spent on Valkey."""

    hits: int
    p50: float
    p99: float
    longest: float
    longest_in_valkey: float = 0.0


class Hits:
    """``misses``, what was answered that was no hit, are known at the end, and so are the times."""

    def __init__(self) -> None:
        self.misses: dict[str, int] = {}
        self._due: list[float] = []
        self._took: list[tuple[float, float]] = []

    def fill(self, taken: array[float], misses: dict[str, int]) -> None:
        found = sorted(zip(taken[::3], taken[1::3], taken[2::3], strict=True))
        self._due, self._took, self.misses = [each[0] for each in found], [each[1:] for each in found], misses

    def between(self, begins: float, ends: float) -> Timed:
        """Times of the monotonic clock. Raises ValueError where none was due."""
        took = self._took[bisect_left(self._due, begins) : bisect_left(self._due, ends)]
        p50, p99 = (1000 * percentile([seconds for seconds, _ in took], share) for share in (0.5, 0.99))
        longest, in_valkey = max(took)
        return Timed(len(took), p50, p99, 1000 * longest, 1000 * in_valkey)


@contextmanager
def hits_of(url: str, plan: Plan, folder: Path) -> Iterator[Hits]:
    """Inside, they are asked for; behind it, they are counted."""
    hits, file = Hits(), folder / "hits"
    argv = [sys.executable, "-m", "tests.steer.hits", url, str(plan.hits_per_second), str(plan.hot_keys), str(file)]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "asking\n", "the hits did not begin"
        yield hits
        said, _ = process.communicate(timeout=_END_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, f"the hits ended with {process.returncode}"
    taken: array[float] = array("d")
    taken.frombytes(file.read_bytes())
    hits.fill(taken, json.loads(said))
