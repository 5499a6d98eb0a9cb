"""Hits that go on beside everything else, in a process of their own; afterwards, what each stretch of time was like."""

from __future__ import annotations

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
    """The hits that were due in one window; in ms."""

    hits: int
    p50: float
    p99: float
    longest: float


class Hits:
    """``misses`` is known at the end, and so are the times."""

    def __init__(self) -> None:
        self.misses = 0
        self._due: list[float] = []
        self._seconds: list[float] = []

    def fill(self, taken: array[float], misses: int) -> None:
        pairs = sorted(zip(taken[::2], taken[1::2], strict=True))
        self._due, self._seconds, self.misses = [due for due, _ in pairs], [took for _, took in pairs], misses

    def between(self, begins: float, ends: float) -> Timed:
        """Times of the monotonic clock. Raises ValueError where none was due."""
        seconds = self._seconds[bisect_left(self._due, begins) : bisect_left(self._due, ends)]
        p50, p99 = (1000 * percentile(seconds, share) for share in (0.5, 0.99))
        return Timed(len(seconds), p50, p99, 1000 * max(seconds))


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
    hits.fill(taken, int(said))
