"""One key as a register whose states have a known order: what may an operation have seen, and what does it make known?

PostgreSQL takes a version once the row is locked, so the versions of a key are its states in the order of commits.
Most answers name theirs. "Not there" and a deletion do not: they are given the *smallest* state that fits, which is the
choice that forbids least to those who come after. With no other upper bounds, a history passes exactly if there is an
order that explains it.

Two floors grow: ``known``, from the end of every answer on (linearizability), and ``due``, from B after every commit
on, whoever made it (the staleness bound). An operation must not be below either, as they were when it began.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import md5

from tests.chaos.observation import Kind, Observation, Row

REMEMBERED = 24
"""Rows below the floor that are kept: to check the bodies of stale-if-error, and to explain a violation."""
_NOTHING = Row(version=0, key="", deleted=True)


class Floor:
    """Which version was known since when. Times and versions both grow."""

    __slots__ = ("times", "versions")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.versions: list[int] = []

    def at(self, moment: float) -> int:
        """What was known strictly before."""
        number = bisect_left(self.times, moment)
        return self.versions[number - 1] if number else 0

    def since(self, version: int) -> float:
        """When it came to be known."""
        return self.times[bisect_left(self.versions, version)]

    def rise(self, moment: float, version: int) -> None:
        while self.times and self.times[-1] >= moment and self.versions[-1] <= version:
            self.times.pop()
            self.versions.pop()
        if not self.versions or version > self.versions[-1]:
            self.times.append(moment)
            self.versions.append(version)

    def forget_before(self, moment: float) -> None:
        number = bisect_left(self.times, moment) - 1
        if number > 0:
            del self.times[:number], self.versions[:number]


class Register:
    __slots__ = ("absent", "bodies", "due", "key", "known", "rows", "versions")

    def __init__(self, key: str) -> None:
        self.key = key
        self.versions: list[int] = [0]
        self.absent: list[int] = [0]
        self.rows: dict[int, Row] = {0: _NOTHING}
        self.bodies: dict[int, bytes] = {}
        self.known = Floor()
        self.due = Floor()

    def learn(self, row: Row, due: float) -> None:
        """A committed state; every cache must show it, or a later one, from ``due`` on."""
        assert row.version > self.versions[-1], f"{self.key}: {row.version} was committed after {self.versions[-1]}"
        self.versions.append(row.version)
        self.rows[row.version] = row
        if row.deleted:
            self.absent.append(row.version)
        self.due.rise(due, row.version)

    def judge(self, seen: Observation) -> str | None:
        """Why it is impossible, or None; what it makes known is remembered. To be called in the order of ends."""
        if seen.outcome == "stale":  # it says so itself: once true is enough, but true of this very key
            return (self._judge_body(seen) or _below_wish(seen)) if seen.version else None
        known, due = self.known.at(seen.began), self.due.at(seen.began)
        if seen.kind is Kind.DELETE:
            return self._judge_delete(seen, known)
        if not seen.version:
            return self._judge_absence(seen, known, due)
        fault = self._judge_version(seen, known, due) or self._judge_body(seen) or _below_wish(seen)
        if seen.raises and seen.kind is not Kind.REFUSED and seen.version in self.rows:
            self.known.rise(seen.ended, seen.version)
        return fault

    def _judge_version(self, seen: Observation, known: int, due: int) -> str | None:
        if seen.kind is Kind.WRITE:
            if seen.version <= known:
                return f"a write got version {seen.version}, {self._ago(seen, self.known, known)} {known} was known"
            if seen.version in self.rows and seen.expected not in (0, self._before(seen.version)):
                return f"If-Match {seen.expected} was accepted, and replaced version {self._before(seen.version)}"
            return None
        if seen.version < known:
            return f"version {seen.version} was read, {self._ago(seen, self.known, known)} {known} was known"
        if seen.version < due:
            return f"version {seen.version} was read, {self._ago(seen, self.due, due)} {due} was due (commit + B)"
        return None

    def _judge_absence(self, seen: Observation, known: int, due: int) -> str | None:
        fits = self._absent_from(known)
        if fits is None:
            return f"nothing was read, {self._ago(seen, self.known, known)} {known} was known, never deleted since"
        later = self._absent_from(max(known, due))
        if later is None:
            return f"nothing was read, {self._ago(seen, self.due, due)} {due} was due (commit + B), never deleted since"
        if seen.kind is not Kind.REFUSED:
            self.known.rise(seen.ended, later)
        return None

    def _judge_delete(self, seen: Observation, known: int) -> str | None:
        """Which tombstone is its own? With If-Match the one after that version, else the first that fits."""
        if seen.expected:
            number = bisect_left(self.versions, seen.expected) + 1
            own = self.versions[number] if number < len(self.versions) else None
            if own is None or not self.rows[own].deleted:
                return f"If-Match {seen.expected} was accepted for a deletion, and the next version is {own}"
            if own <= known:
                return f"a deletion is version {own}, {self._ago(seen, self.known, known)} {known} was known"
        else:
            own = self._absent_from(known + 1)
            if own is None:
                return f"a deletion was acknowledged, and there is none after version {known}, which was known before"
        if seen.raises:
            self.known.rise(seen.ended, own)
        return None

    def _judge_body(self, seen: Observation) -> str | None:
        row = self.rows.get(seen.version)
        if row is None:
            if seen.version < self.versions[0]:
                return None  # too old to be remembered: below the floor, so only stale-if-error comes here
            return f"version {seen.version} was answered, and was never committed"
        if row.key not in (self.key, ""):
            return f"version {seen.version} is a TRUNCATE"
        if row.deleted:
            return f"version {seen.version} was answered, and is a deletion"
        if seen.mark is not None and seen.mark != row.mark:
            return f"version {seen.version} has the mark {row.mark!r}, and was answered with {seen.mark!r}"
        if seen.body is not None and self.bodies.get(seen.version) != seen.body:
            if md5(seen.body, usedforsecurity=False).hexdigest() != row.digest:
                return f"version {seen.version} has the mark {row.mark!r}, and was answered as {seen.body[:200]!r}"
            self.bodies[seen.version] = seen.body
        return None

    def _absent_from(self, version: int) -> int | None:
        number = bisect_left(self.absent, version)
        return self.absent[number] if number < len(self.absent) else None

    def _before(self, version: int) -> int:
        return self.versions[bisect_left(self.versions, version) - 1]

    def _ago(self, seen: Observation, floor: Floor, version: int) -> str:
        return f"{(seen.began - floor.since(version)) * 1000:.1f} ms after"

    def forget_before(self, moment: float) -> None:
        """Nothing that began earlier is still to come: keep the floor of that moment, and all that is above it."""
        self.known.forget_before(moment)
        self.due.forget_before(moment)
        lowest = self.known.versions[0] if self.known.versions else 0
        number = bisect_left(self.versions, lowest) - REMEMBERED
        if number > REMEMBERED:
            for version in self.versions[:number]:
                del self.rows[version]
                self.bodies.pop(version, None)
            del self.versions[:number]
            del self.absent[: bisect_left(self.absent, self.versions[0])]


def _below_wish(seen: Observation) -> str | None:
    if 0 < seen.version < seen.min_version:
        return f"version {seen.version} was answered to Aside-Min-Version: {seen.min_version}"
    return None
