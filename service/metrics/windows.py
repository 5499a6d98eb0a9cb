"""What was counted lately: a ring of snapshots of counters. Pure: the time (monotonic seconds) is an argument."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from service.metrics.totals import Labels, Totals


class Window(NamedTuple):
    """``seconds`` is how far it really reaches back: up to one step further than was asked, or to the start."""

    seconds: float
    added: Totals


class _Snapshot(NamedTuple):
    """``at`` is the same moment on the clock on the wall. ``values`` are in the order of the ring's columns."""

    now: float
    at: float
    values: array[float]


_Places = dict[str, dict[Labels, int]]


class Stretch:
    """Some snapshots that follow each other, each a step after the one before. Every list has one item per step.

    It is a copy: another thread may look at it while the ring goes on.
    """

    def __init__(self, snapshots: Sequence[_Snapshot], places: _Places) -> None:
        self._snapshots = snapshots
        self._places = {name: dict(of_name) for name, of_name in places.items()}
        self.times = [each.at for each in snapshots[1:]]
        """When each step ended: seconds since 1970."""
        self._seconds = [later.now - earlier.now for earlier, later in pairwise(snapshots)]

    def values(self, name: str, **labels: str) -> list[float]:
        """What it was at the end of each step, summed over all that have these labels."""
        return self._sums(name, labels)[1:]

    def rates(self, name: str, **labels: str) -> list[float]:
        """How fast it rose in each step, per second."""
        sums = pairwise(self._sums(name, labels))
        return [max(0.0, after - before) / span for (before, after), span in zip(sums, self._seconds, strict=True)]

    def labels(self, name: str, label: str) -> list[str]:
        """Every value that a label of this name has, sorted."""
        return sorted({value for labels in self._places.get(name, ()) for has, value in labels if has == label})

    def _sums(self, name: str, labels: dict[str, str]) -> list[float]:
        wanted = labels.items()
        places = [place for has, place in self._places.get(name, {}).items() if wanted <= has]
        return [
            sum(each.values[place] for place in places if place < len(each.values))  # an older one knows fewer
            for each in self._snapshots
        ]


class Windows:
    """Keeps as many snapshots as the longest window needs, each at least ``step_seconds`` after the one before.

    A snapshot is a row of numbers, eight bytes each; their names are kept once, for the whole ring.
    """

    def __init__(self, *, longest_seconds: float, step_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._step_seconds = step_seconds
        self._columns: dict[tuple[str, Labels], int] = {}
        self._places: _Places = defaultdict(dict)
        self._ring: deque[_Snapshot] = deque()

    def add(self, now: float, totals: Totals, *, at: float = 0.0) -> None:
        """A snapshot, made ``at`` that moment of the clock on the wall. One that comes too early is left out."""
        if self._ring and now - self._ring[-1].now < self._step_seconds:
            return
        for name, labels in totals.keys() - self._columns.keys():
            self._columns[name, labels] = self._places[name][labels] = len(self._columns)
        self._ring.append(_Snapshot(now, at, array("d", [totals.get(key, 0.0) for key in self._columns])))
        # The second one may serve as the beginning of the longest window: then nobody needs the first any more.
        while len(self._ring) > 1 and now - self._ring[1].now >= self._longest_seconds:
            self._ring.popleft()

    def over(self, seconds: float, now: float, totals: Totals) -> Window:
        """What was added to ``totals``, which were read ``now``, in the last ``seconds``."""
        if not self._ring:
            return Window(0.0, totals.since(totals))
        first = self._ring[0]
        for snapshot in self._ring:
            if now - snapshot.now < seconds:
                break
            first = snapshot
        return Window(now - first.now, totals.since(Totals(zip(self._columns, first.values, strict=False))))

    def lately(self, seconds: float, now: float) -> Stretch:
        """The steps that ended in the last ``seconds``, as far as the clock on the wall has not been set back since."""
        found: list[_Snapshot] = []
        for snapshot in reversed(self._ring):
            if found and snapshot.at >= found[-1].at:
                break
            found.append(snapshot)
            if now - snapshot.now > seconds:
                break
        return Stretch(found[::-1], self._places)

    def __len__(self) -> int:
        return len(self._ring)
