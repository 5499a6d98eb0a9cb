"""What is shown while the load runs: a table that is drawn over, or, where nobody sees it drawn, a line each second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from service.bench.drawing import milliseconds, share, sparkline
from service.bench.plan import Plan
from service.bench.tally import Report, Tally

Watcher = Callable[[Report], None]
_REMEMBERED = 60
_SHORTEST_SECONDS = 0.5


@contextmanager
def showing(console: Console, plan: Plan) -> Iterator[Watcher]:
    """Inside, the watcher is to be called with each report."""
    lately = Lately()
    if not console.is_terminal:

        def tell(report: Report) -> None:
            if not _says_nothing(report):
                console.print(_line(plan, report, lately.of(report)), markup=False)

        yield tell
        return
    rates, p99s = deque[float](maxlen=_REMEMBERED), deque[float](maxlen=_REMEMBERED)
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def show(report: Report) -> None:
            if _says_nothing(report):
                return
            now = lately.of(report)
            rates.append(now.rate)
            p99s.append(now.tally.latencies.percentile_us(99))
            live.update(_table(plan, report, now, rates, p99s), refresh=True)

        yield show


def _says_nothing(report: Report) -> bool:
    """The warm-up has only just ended: of a moment there are no figures."""
    return report.warmup_left == 0 and report.seconds < _SHORTEST_SECONDS


class Second:
    """What was added since the report before."""

    def __init__(self, tally: Tally, seconds: float) -> None:
        self.tally = tally
        self.rate = tally.requests / seconds if seconds > 0 else 0.0


class Lately:
    """Remembers the last report."""

    def __init__(self) -> None:
        self._total, self._seconds = Tally(), 0.0

    def of(self, report: Report) -> Second:
        total = report.total
        second = Second(total.since(self._total), report.seconds - self._seconds)
        self._total, self._seconds = total, report.seconds
        return second


def _elapsed(plan: Plan, report: Report) -> str:
    if report.warmup_left > 0:
        return f"warming up, {report.warmup_left:.0f} s left"
    return f"{report.seconds:.0f} of {plan.seconds:g} s"


def _line(plan: Plan, report: Report, second: Second) -> str:
    latencies = second.tally.latencies
    waiting = f"  {report.waiting:,} wait for a connection" if report.waiting else ""
    return (
        f"{_elapsed(plan, report):<12} {second.rate:>9,.0f} req/s  hits {share(second.tally.hit_ratio):>8}  "
        f"p50 {milliseconds(latencies.percentile_us(50)):>6}  p99 {milliseconds(latencies.percentile_us(99)):>6} ms  "
        f"errors {report.total.errors:,}{waiting}"
    )


def _table(plan: Plan, report: Report, second: Second, rates: deque[float], p99s: deque[float]) -> Table:
    """The last second beside the whole; a line of the last minute under each."""
    total = report.total
    table = Table(title=f"{plan.target.url}  {_elapsed(plan, report)}", title_justify="left")
    for heading in ("", "requests/s", "hit ratio", "p50 ms", "p99 ms", "errors", "waiting"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("last second", *_cells(second.rate, second.tally), f"{report.waiting:,}")
    table.add_row("all", *_cells(total.requests / report.seconds if report.seconds > 0 else 0.0, total), "")
    table.caption = f"requests/s {sparkline(rates)}\n    p99 ms {sparkline(p99s)}"
    table.caption_justify = "left"
    return table


def _cells(rate: float, tally: Tally) -> tuple[str, ...]:
    latencies = tally.latencies
    return (
        f"{rate:,.0f}",
        share(tally.hit_ratio),
        milliseconds(latencies.percentile_us(50)),
        milliseconds(latencies.percentile_us(99)),
        f"{tally.errors:,}",
    )
