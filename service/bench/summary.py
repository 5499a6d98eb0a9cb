"""What is told at the end: to people, or to programs as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from service.bench.drawing import PERCENTS, bar, milliseconds, rows_of, share
from service.bench.histogram import Histogram
from service.bench.mix import Kind
from service.bench.plan import Plan
from service.bench.tally import LATE_SECONDS, Report, Tally

_BAR_WIDTH = 40
_LATE_SHARE = 0.01
_KEPT_SHARE = 0.95
_BUSY_SHARE = 0.9
_EXPECTED = (Kind.READS, Kind.CONDITIONAL)


def as_json(plan: Plan, report: Report) -> dict[str, Any]:
    """All requests together, and under `kinds` those of each kind. Latencies are milliseconds."""
    late = None if plan.rate is None else {"count": report.late, "max_ms": _ms(report.latest * 1e6)}
    return {
        **_figures(report.total, report.seconds),
        "late": late,
        "kinds": {kind.value: _figures(tally, report.seconds) for kind, tally in report.tallies.items()},
    }


def _figures(tally: Tally, seconds: float) -> dict[str, Any]:
    histogram = tally.latencies
    return {
        "requests": tally.requests,
        "errors": tally.errors,
        "seconds": round(seconds, 3),
        "throughput": round(_throughput(tally, seconds), 1),
        "hit_ratio": tally.hit_ratio,
        "latency_ms": {
            **{f"p{percent:g}": _ms(histogram.percentile_us(percent)) for percent in PERCENTS},
            "max": _ms(histogram.longest_us),
            "mean": _ms(histogram.mean_us),
        },
        "outcomes": dict(tally.outcomes.most_common()),
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
        "failures": dict(tally.failures.most_common()),
        "histogram": [[_ms(upper_us), count] for upper_us, count in histogram.buckets()],
    }


def _ms(us: float) -> float:
    return round(us / 1000, 3)


def _throughput(tally: Tally, seconds: float) -> float:
    """Answers per second: errors that are no answers do not count."""
    return sum(tally.statuses.values()) / seconds if seconds > 0 else 0.0


def show_summary(console: Console, plan: Plan, report: Report) -> None:
    console.print(_table(report))
    total = report.total
    for name, counts in (("cache", total.outcomes), ("status", total.statuses), ("errors", total.failures)):
        if counts:
            console.print(f"{name:<7}{_listed(counts)}", markup=False)
    console.print()
    for line in histogram_lines(total.latencies):
        console.print(line, markup=False)
    for warning in warnings_of(plan, report):
        console.print(f"[yellow]{warning}[/]")


def _table(report: Report) -> Table:
    table = Table(title=f"{report.seconds:.1f} s; latency in ms", title_justify="left", box=SIMPLE, padding=0)
    percents = [f"p{percent:g}" for percent in PERCENTS]
    for heading in ("kind", "requests", "per s", "errors", "hits", *percents, "max", "mean"):
        table.add_column(heading, justify="left" if heading == "kind" else "right", no_wrap=True)
    named = {kind.value: tally for kind, tally in report.tallies.items()}
    for name, tally in {**named, "all": report.total}.items() if len(named) > 1 else named.items():
        latencies = tally.latencies
        told = [*map(latencies.percentile_us, PERCENTS), latencies.longest_us, latencies.mean_us]
        rate = f"{_throughput(tally, report.seconds):,.0f}"
        counts = (f"{tally.requests:,}", rate, f"{tally.errors:,}", share(tally.hit_ratio))
        table.add_row(name, *counts, *map(milliseconds, told))
    return table


def _listed(counts: Mapping[Any, int]) -> str:
    return "  ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def histogram_lines(histogram: Histogram) -> Iterator[str]:
    """A bar for each row; the percentiles stand beside theirs."""
    rows = rows_of(histogram)
    most = max((row.requests for row in rows), default=0)
    for row in rows:
        upper = f"≤ {row.upper_ms:g} ms"
        drawn = bar(row.requests, most, width=_BAR_WIDTH)
        yield f"{upper:>12} {row.requests:>10,} {drawn:<{_BAR_WIDTH}} {' '.join(row.marks)}".rstrip()


def warnings_of(plan: Plan, report: Report) -> Iterator[str]:
    """What makes the figures mean less than they seem to."""
    total = report.total
    if plan.rate is not None and report.late > _LATE_SHARE * total.requests:
        yield (
            f"The generator could not keep up: it began {report.late:,} of {total.requests:,} requests more than "
            f"{LATE_SECONDS * 1000:g} ms late (at most {report.latest * 1000:,.0f} ms). "
            "Try more --processes, or a lower --rate."
        )
    elif plan.rate is not None and _throughput(total, report.seconds) < _KEPT_SHARE * plan.rate:
        yield "Fewer requests per second were answered than asked for: the service could not take as many."
    if report.busy > _BUSY_SHARE:
        yield f"A generator was busy {report.busy:.0%} of the time, and may be what was slow. Try more --processes."
    missing = sum(report.tallies[kind].statuses[404] for kind in _EXPECTED if kind in report.tallies)
    if missing:
        yield f"{missing:,} reads were told that there is no such key (404)."
