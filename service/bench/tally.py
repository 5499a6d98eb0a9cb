"""What became of the requests, added up: by kind, over processes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.bench.cache_status import FROM_CACHE, READ_OUTCOMES
from service.bench.histogram import Histogram
from service.bench.mix import Kind

LATE_SECONDS = 0.01
"""A request that the generator itself begins later than this was not meant to be begun so."""


@dataclass(slots=True)
class Tally:
    """Requests of one kind, or of all. ``failures`` says by what the errors came about."""

    requests: int = 0
    errors: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latencies: Histogram = field(default_factory=Histogram)

    def answered(self, status: int, outcome: str, us: int, *, is_error: bool) -> None:
        """``outcome`` is empty where the answer says nothing of a cache."""
        self.requests += 1
        self.statuses[status] += 1
        if outcome:
            self.outcomes[outcome] += 1
        if is_error:
            self.errors += 1
            self.failures["status"] += 1
        self.latencies.record(us)

    def failed(self, how: str, us: int | None = None) -> None:
        """No answer. ``us``: how long it was waited for, if that is to count, so that giving up flatters nobody."""
        self.requests += 1
        self.errors += 1
        self.failures[how] += 1
        if us is not None:
            self.latencies.record(us)

    def add(self, other: Tally) -> None:
        self.requests += other.requests
        self.errors += other.errors
        self.outcomes += other.outcomes
        self.statuses += other.statuses
        self.failures += other.failures
        self.latencies.add(other.latencies)

    def since(self, before: Tally) -> Tally:
        """What was added after ``before``, an earlier state of this one."""
        return Tally(
            requests=self.requests - before.requests,
            errors=self.errors - before.errors,
            outcomes=self.outcomes - before.outcomes,
            statuses=self.statuses - before.statuses,
            failures=self.failures - before.failures,
            latencies=self.latencies.since(before.latencies),
        )

    @property
    def hit_ratio(self) -> float | None:
        """As `GET /v1/cache/stats` defines it; None where no answer spoke of a cache."""
        reads = sum(self.outcomes[outcome] for outcome in READ_OUTCOMES)
        return sum(self.outcomes[outcome] for outcome in FROM_CACHE) / reads if reads else None


@dataclass(slots=True)
class Report:
    """All that one generator, or several together, have seen up to now."""

    tallies: dict[Kind, Tally]
    seconds: float = 0.0
    """Measured so far; the warm-up is not in it, nor in the counts."""
    warmup_left: float = 0.0
    late: int = 0
    """Requests of an open loop that the generator, not the service, began too late."""
    latest: float = 0.0
    """By how many seconds, at most."""
    busy: float = 0.0
    """The share of the time that the generator's processor was at work: of the busiest one."""
    waiting: int = 0
    """Requests of an open loop for which no connection is free."""

    @property
    def total(self) -> Tally:
        total = Tally()
        for tally in self.tallies.values():
            total.add(tally)
        return total


def together(reports: Iterable[Report]) -> Report:
    """Of several generators that ran side by side."""
    whole = Report({})
    for report in reports:
        for kind, tally in report.tallies.items():
            whole.tallies.setdefault(kind, Tally()).add(tally)
        whole.seconds = max(whole.seconds, report.seconds)
        whole.warmup_left = max(whole.warmup_left, report.warmup_left)
        whole.late += report.late
        whole.latest = max(whole.latest, report.latest)
        whole.busy = max(whole.busy, report.busy)
        whole.waiting += report.waiting
    return whole
