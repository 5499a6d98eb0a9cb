"""`python -m tests.simulation`: run many seeds of the simulation, or replay one. Ends with 1 on a violation."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.simulation.campaign import Tally, spread
from tests.simulation.clock import simulated_hosts
from tests.simulation.themes import DIRECTED, SWARM
from tests.simulation.world import simulate

_CONSOLE = Console(stderr=True)


def replay(seed: int, *, theme: str, with_trace: bool) -> int:
    """Run one seed, and say in which order things happened."""
    trace: list[str] | None = [] if with_trace else None
    with simulated_hosts():
        result = simulate(seed, theme=theme, trace=trace)
    out = sys.stdout
    for line in trace or ():
        out.write(f"{line}\n")
    out.write(f"\nseed {seed}: {result.plan}\n{result.operations} operations, {result.events} events, ")
    out.write(f"{result.seconds:.3f} s of simulated time, fingerprint {result.fingerprint!r}\n")
    for line in result.violations:
        out.write(f"VIOLATION {line}\n")
    return 1 if result.violations else 0


def campaign(first: int, count: int, *, theme: str, jobs: int, keep_going: bool, report: Path | None) -> int:
    total, started = Tally(), time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=_CONSOLE) as progress:
        bar = progress.add_task("seeds", total=count)
        for tally in spread(first, count, jobs=jobs, theme=theme, stop_at_first=not keep_going):
            total.add(tally)
            progress.update(bar, advance=tally.seeds)
            for seed, lines in tally.violations:
                progress.console.print(f"seed {seed}: {lines[0]}", markup=False)
            if total.violations and not keep_going:
                break
    elapsed = time.monotonic() - started
    summary = {"theme": theme} | total.report(first=first, elapsed_seconds=elapsed, jobs=jobs)
    if report is not None:
        report.write_text(json.dumps(summary, indent=2) + "\n")
    sys.stdout.write(
        f"{total.seeds} seeds, {total.operations} operations, {total.events} events in {elapsed:.1f} s "
        f"({summary['seeds_per_second']} seeds/s): {len(total.violations)} violations\n"
    )
    return 1 if total.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--theme", choices=(SWARM, *DIRECTED), default=SWARM, help=f"one of: {', '.join(DIRECTED)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at the same time")
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell the order of events")
    parser.add_argument("--keep-going", action="store_true", help="collect violations, do not stop at the first")
    parser.add_argument("--report", type=Path, help="write a summary as JSON")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return replay(chosen.seed, theme=chosen.theme, with_trace=chosen.trace)
    return campaign(
        chosen.first, chosen.seeds,
        theme=chosen.theme, jobs=chosen.jobs, keep_going=chosen.keep_going, report=chosen.report,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
