"""Everything that is counted while a campaign runs. Times are seconds since its start."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.mix import Ask
from tests.chaos.observation import Kind, Violation
from tests.chaos.wire import Reply

BIN_SECONDS = 0.5


@dataclass(slots=True)
class Bin:
    """Half a second of the time line."""

    reads: int = 0
    """Each key of a batch-read is one."""
    singles: int = 0
    """Reads of one key, which say whether they are hits."""
    hits: int = 0
    writes: int = 0
    errors: int = 0
    late_ms: float = 0.0
    """The most that the campaign's own loop was late: what it measures may be too long by so much."""


@dataclass(slots=True)
class Longest:
    """The slowest of a kind, and when."""

    seconds: float = 0.0
    at: float = 0.0
    replica: int = 0


@dataclass
class Tally:
    """``active`` tells the faults that hold now; ``began`` is the campaign's start, monotonic seconds."""

    began: float = 0.0
    active: Callable[[], list[str]] = list
    frozen_since: Callable[[int, float], bool] = lambda _replica, _since: False
    """Whether this replica stood still at some time since then."""
    operations: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    errors_by_fault: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    refused_connections: int = 0
    batch_problems: int = 0
    violations: list[Violation] = field(default_factory=list)
    bins: dict[int, Bin] = field(default_factory=lambda: defaultdict(Bin))
    hit_at: list[list[float]] = field(default_factory=lambda: [[], [], []])
    """Per replica, moments of hits: the first of each 10 ms."""
    error_at: list[tuple[float, int]] = field(default_factory=list)
    longest: dict[str, Longest] = field(default_factory=lambda: defaultdict(Longest))
    longest_thawed: dict[str, Longest] = field(default_factory=lambda: defaultdict(Longest))
    """The same, without those whose replica stood still meanwhile."""
    latencies: list[int] = field(default_factory=lambda: [0] * 10_001)
    """Of hits, in ms."""
    problem_kinds: Counter[str] = field(default_factory=Counter)

    def answered(self, ask: Ask, reply: Reply, replica: int, began: float, ended: float) -> None:
        at, seconds, status = ended - self.began, ended - began, reply.status
        self.operations[ask.name] += 1
        current = self.bins[int(at / BIN_SECONDS)]
        is_read = ask.kind is Kind.READ
        if status >= 500:
            self._failed(ask, reply, replica, at)
            current.errors += 1
        elif is_read and ask.keys is None:
            outcome = reply.outcome
            self.outcomes[outcome] += 1
            current.reads += 1
            current.singles += 1
            if outcome == "hit":
                current.hits += 1
                self.latencies[min(int(seconds * 1000), 10_000)] += 1
                hits = self.hit_at[replica]
                if not hits or at - hits[-1] > 0.01:
                    hits.append(at)
            self._note("time for Redis, of a read", reply.cache_seconds, at, replica, began)
        elif not is_read:
            current.writes += 1
            if status < 300:
                self.settled[(reply.header(b"aside-cache") or b"?").decode()] += 1
        elif status == 200:
            current.reads += len(ask.keys or ())
        if status not in (200, 201, 204, 304, 404, 412) and status < 500:
            self.wrong(f"status {status}", f"{ask.name} {ask.key}: {reply.body[:300]!r}")
        self._note("read" if is_read else "write", seconds, at, replica, began)

    def _note(self, what: str, seconds: float, at: float, replica: int, began: float) -> None:
        if seconds > self.longest[what].seconds:
            self.longest[what] = Longest(seconds, at, replica)
        if seconds > self.longest_thawed[what].seconds and not self.frozen_since(replica, began):
            self.longest_thawed[what] = Longest(seconds, at, replica)

    def _failed(self, ask: Ask, reply: Reply, replica: int, at: float) -> None:
        problem = reply.header(b"content-type") == b"application/problem+json"
        kind = json.loads(reply.body)["type"].rpartition("/")[2] if problem else "no problem+json"
        if reply.status != 503 or reply.header(b"retry-after") is None or not problem:
            self.wrong(
                f"a {reply.status} that is no 503 with Retry-After", f"{ask.name} {ask.key}: {reply.body[:500]!r}"
            )
        self._count_error(f"{reply.status} {kind}", replica, at)

    def unanswered(self, name: str, replica: int, began: float, ended: float) -> None:
        """The connection broke, or was given up, with a request under way."""
        at = ended - self.began
        self.operations[name] += 1
        self.bins[int(at / BIN_SECONDS)].errors += 1
        self._count_error("no answer" if ended - began < 7.9 else "given up by the client after 8 s", replica, at)

    def _count_error(self, kind: str, replica: int, at: float) -> None:
        self.errors[kind] += 1
        self.error_at.append((at, replica))
        for fault in self.active() or ["nothing (or only the aftermath)"]:
            self.errors_by_fault[fault][kind] += 1

    def wrong(self, what: str, context: str) -> None:
        """A promise broken that is not about versions."""
        self.violations.append(Violation(what, None, [context, f"faults: {', '.join(self.active()) or 'none'}"]))
