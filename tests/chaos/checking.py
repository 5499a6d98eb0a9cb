"""Judges a history while it grows, in windows, with bounded memory.

A window holds what has ended in it. Before it is judged, all that PostgreSQL has committed up to then is learned:
whatever an answer names must be there. Operations under way at its border stay for a later one, and the floors keep
what was known when the oldest of them began; all older is forgotten.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from tests.chaos.observation import Kind, Observation, Row, Violation
from tests.chaos.register import Register

CLOCK_SLACK_SECONDS = 0.002
"""Redis dates heartbeats in whole milliseconds; all other times here are of one clock, and err to the safe side."""
EVERYTHING = "*"
_CONTEXT = 8


class Checker:
    """``bound_seconds`` is B. ``on_violation`` is called at once for each."""

    def __init__(self, bound_seconds: float, *, on_violation: Callable[[Violation], None] | None = None) -> None:
        self._bound_seconds = bound_seconds + CLOCK_SLACK_SECONDS
        self._registers: dict[str, Register] = {}
        self._recent: dict[str, deque[Observation]] = {}
        self._last_truncate: Row | None = None
        self._on_violation = on_violation
        self.violations: list[Violation] = []
        self.checked: Counter[Kind] = Counter()
        self.stale_if_error = 0

    def learn(self, rows: Iterable[Row], committed_by: Callable[[Row], float]) -> None:
        """Committed states, in the order of versions; ``committed_by`` is a moment at which one was, in seconds."""
        for row in rows:
            due = committed_by(row) + self._bound_seconds
            if row.key == EVERYTHING:
                self._last_truncate = row
                for register in self._registers.values():
                    register.learn(row, due)
            else:
                self._register(row.key).learn(row, due)

    def judge(self, ended: Iterable[Observation], *, oldest_began: float) -> None:
        """What has ended since the last window, in the order of ends. Nothing that began before ``oldest_began`` is
        still under way.
        """
        touched: set[str] = set()
        for seen in ended:
            register = self._register(seen.key)
            touched.add(seen.key)
            recent = self._recent[seen.key]
            recent.append(seen)
            self.checked[seen.kind] += 1
            self.stale_if_error += seen.outcome == "stale"
            fault = register.judge(seen)
            if fault is not None:
                self._violated(fault, seen, register)
        for key in touched:
            self._registers[key].forget_before(oldest_began)

    def _register(self, key: str) -> Register:
        register = self._registers.get(key)
        if register is None:
            register = self._registers[key] = Register(key)
            self._recent[key] = deque(maxlen=_CONTEXT)
        return register

    def _violated(self, fault: str, seen: Observation, register: Register) -> None:
        lines = [f"{'→ ' if other is seen else '  '}{described(other)}" for other in self._recent[seen.key]]
        states = ", ".join(f"{v}{'†' if register.rows[v].deleted else ''}" for v in register.versions[-12:])
        violation = Violation(f"{seen.key}: {fault}", seen, [*lines, f"committed: {states}"])
        self.violations.append(violation)
        if self._on_violation is not None:
            self._on_violation(violation)


def described(seen: Observation) -> str:
    what = f"{seen.version or 'nothing'}" if seen.kind is not Kind.DELETE else "deleted"
    return (
        f"{seen.began:.6f} … {seen.ended:.6f} replica {seen.replica} {seen.kind.name.lower()} → {what}"
        f" {seen.outcome}{f' If-Match {seen.expected}' if seen.expected else ''}{'' if seen.raises else ' deferred'}"
    )
