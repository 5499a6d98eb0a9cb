"""How long do readers go on seeing what plain SQL has replaced? Measured for each change, and for each replica.

Two figures, both from the moment at which the SQL client heard of its commit (so slightly too short, by the way of that
word; what is *checked* errs the other way):

- shown: until the end of the first answer of a replica that shows the change, the time until anybody asks included;
- old: until the begin of the last read that was still answered with what was before. It is what B bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.chaos.observation import Kind, Observation

WATCHED_SECONDS = 15.0


@dataclass(slots=True)
class Change:
    version: int
    committed: float
    shown: dict[int, float] = field(default_factory=dict)
    old: float = 0.0
    """Seconds; 0 where nobody was answered with the old value after the commit."""
    is_calm: bool = True


class Staleness:
    """``is_calm`` tells whether no fault held, or had held shortly before, from one moment to another."""

    def __init__(self, replicas: int, is_calm: Callable[[float, float], bool]) -> None:
        self._replicas = replicas
        self._is_calm = is_calm
        self._watched: dict[str, list[Change]] = {}
        self.shown: dict[bool, list[float]] = {True: [], False: []}
        """By calm or not: seconds, one entry for each change and replica."""
        self.old: dict[bool, list[float]] = {True: [], False: []}
        self.never_asked = 0

    def watch(self, key: str, version: int, committed: float) -> None:
        self._watched.setdefault(key, []).append(Change(version, committed))

    def see(self, observations: Iterable[Observation]) -> None:
        if not self._watched:
            return
        for seen in observations:
            if seen.key in self._watched and seen.kind is Kind.READ and seen.outcome != "stale" and seen.version:
                for change in self._watched[seen.key]:
                    if seen.version >= change.version:
                        change.shown.setdefault(seen.replica, max(0.0, seen.ended - change.committed))
                    elif seen.began > change.committed:
                        change.old = max(change.old, seen.began - change.committed)

    def settle(self, now: float) -> None:
        """File what every replica has shown, or what was watched for long enough."""
        for key, changes in list(self._watched.items()):
            left = [change for change in changes if not self._file(change, now)]
            if left:
                self._watched[key] = left
            else:
                del self._watched[key]

    def _file(self, change: Change, now: float) -> bool:
        if len(change.shown) < self._replicas and now - change.committed < WATCHED_SECONDS:
            return False
        calm = self._is_calm(change.committed, change.committed + max([0.0, *change.shown.values()]))
        self.shown[calm] += change.shown.values()
        self.old[calm].append(change.old)
        self.never_asked += self._replicas - len(change.shown)
        return True
