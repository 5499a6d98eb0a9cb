"""Was what a read returned still true when it began? Judged while it happens, for millions of reads.

Each key is a register of versions. All that is known of it must be told in the process and the event loop that ask:
then the moment at which a read begins is the moment at which `begin` is called, and no two clocks are compared.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple


class Behind(StrEnum):
    """What a stale read failed to show."""

    WRITE = "an acknowledged write"
    READ = "what another read had returned"
    SQL = "a change made past the application, longer ago than the bound"


class Stale(NamedTuple):
    behind: Behind
    seconds: float
    """How long, when the read began, the version that replaced the returned one had been known."""


class Floors(NamedTuple):
    """The versions below which a read that begins now must not return."""

    began: float
    acknowledged: int
    answered: int
    committed: int


class _Rises:
    """Versions in the order in which they became known, each higher than the last, and since when (seconds)."""

    __slots__ = ("passed", "times", "versions")

    def __init__(self) -> None:
        self.versions: list[int] = []
        self.times: list[float] = []
        self.passed = 0

    def add(self, version: int, now: float) -> None:
        if not self.versions or version > self.versions[-1]:
            self.versions.append(version)
            self.times.append(now)

    def older_than(self, moment: float) -> int:
        """The highest version known at a moment; moments only move on."""
        times, passed = self.times, self.passed
        if passed < len(times) and times[passed] <= moment:
            passed = self.passed = bisect_right(times, moment, passed)
        return self.versions[passed - 1] if passed else 0

    def replaced_at(self, version: int) -> float | None:
        place = bisect_right(self.versions, version)
        return self.times[place] if place < len(self.times) else None


class Register:
    """One key."""

    __slots__ = ("acknowledged", "answered", "commits", "known")

    def __init__(self) -> None:
        self.acknowledged = 0
        self.answered = 0
        self.known = _Rises()
        self.commits = _Rises()


class Registers:
    """``bound_seconds`` is how long a change that nobody acknowledged may go unseen."""

    def __init__(self, *, bound_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._bound_seconds = bound_seconds
        self._clock = clock
        self._registers: dict[str, Register] = {}

    def begin(self, key: str) -> Floors:
        """Call before a read does anything else."""
        register, now = self._of(key), self._clock()
        committed = register.commits.older_than(now - self._bound_seconds)
        return Floors(now, register.acknowledged, register.answered, committed)

    def answered(self, key: str, floors: Floors, version: int) -> Stale | None:
        """Call when a read has returned. What it returned is known from now on, be it stale or not."""
        register = self._of(key)
        if version > register.answered:
            register.answered = version
            register.known.add(version, self._clock())
        _, *known = floors
        if version >= max(known):
            return None
        return self._judged(register, floors, version)

    def acknowledged(self, key: str, version: int) -> None:
        """Call when a write through the application has returned."""
        register = self._of(key)
        if version > register.acknowledged:
            register.acknowledged = version
            register.known.add(version, self._clock())

    def committed(self, key: str, version: int) -> None:
        """Call after a commit that nobody acknowledged: plain SQL, or a writer that died."""
        self._of(key).commits.add(version, self._clock())

    def floor(self, key: str) -> int:
        """What is known of a key by now."""
        register = self._of(key)
        return max(register.acknowledged, register.answered)

    def _of(self, key: str) -> Register:
        register = self._registers.get(key)
        if register is None:
            register = self._registers[key] = Register()
        return register

    def _judged(self, register: Register, floors: Floors, version: int) -> Stale:
        if version < floors.acknowledged:
            behind = Behind.WRITE
        else:
            behind = Behind.READ if version < floors.answered else Behind.SQL
        since = [register.commits.replaced_at(version)] if behind is Behind.SQL else []
        since += [register.known.replaced_at(version)]
        seconds = max(floors.began - moment for moment in since if moment is not None)
        return Stale(behind, seconds)
