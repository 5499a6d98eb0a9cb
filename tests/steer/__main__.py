"""`python -m tests.steer`: what warming and purging cost the hits beside them.

On real servers, in windows that take turns: calm, busy, calm, busy. Ends with 1 if a goal is missed, or if any request
was no hit.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.steer.campaign import run_campaign
from tests.steer.goals import GOALS
from tests.steer.plan import QUICK, Plan
from tests.steer.report import Report, markdown, write_report
from tests.steer.stage import open_stage
from tests.steer.ways import Way, ways_of

OUTPUT = Path("docs/proof")


def options() -> argparse.Namespace:
    names = [way.name for way in ways_of(Plan())]
    parser = argparse.ArgumentParser(prog="python -m tests.steer", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see whether all of it works (half a minute)")
    parser.add_argument("--rows", type=int, help="that are warmed and purged (1,000,000)")
    parser.add_argument("--windows", type=int, help="of each way of warming but the first, which has 50 (12)")
    parser.add_argument("--purges", type=int, help="of each kind (3)")
    parser.add_argument("--seconds", type=float, help="of a window (5)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="WAY", help=f"of: {', '.join(names)}")
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help=f"where to write ({OUTPUT}; a temporary folder for less than all)"
    )
    return parser.parse_args()


def plan_of(given: argparse.Namespace) -> Plan:
    changes = {"rows": given.rows, "windows": given.windows, "purges": given.purges, "window_seconds": given.seconds}
    return replace(QUICK if given.quick else Plan(), **{name: it for name, it in changes.items() if it is not None})


def measure(plan: Plan, ways: list[Way], console: Console, *, command: str) -> Report:
    columns = (TextColumn("{task.description:42}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with open_stage(plan) as stage, Progress(*columns, console=console) as progress:
        task, done = progress.add_task("all", total=sum(way.seconds for way in ways)), 0.0

        def begins(way: Way) -> None:
            nonlocal done
            progress.update(task, completed=done, description=way.title)
            done += way.seconds
            if not console.is_terminal:
                console.print(f"{way.title} …", highlight=False)

        legs, misses = run_campaign(
            plan, stage, ways, begins=begins, passed=lambda seconds: progress.advance(task, seconds)
        )
        return Report(plan, legs, misses, is_valkey_first=stage.is_valkey_first, cores=stage.cores, command=command)


def main() -> int:
    given, console = options(), Console()
    plan = plan_of(given)
    ways = [way for way in ways_of(plan) if given.only is None or way.name in given.only]
    is_less = given.quick or given.only or plan.rows < Plan().rows
    output = given.report or (Path(tempfile.mkdtemp(prefix="aside-steer-")) if is_less else OUTPUT)
    console.print(f"starting PostgreSQL with {plan.rows:,} rows, Valkey and the service …", highlight=False)
    report = measure(plan, ways, console, command=shlex.join(["python", "-m", "tests.steer", *sys.argv[1:]]))
    write_report(output, report)
    console.print(markdown(report), soft_wrap=True, markup=False, highlight=False)
    console.print(str(output / "steering.md"), soft_wrap=True, highlight=False)
    return 0 if not report.misses and all(goal.is_reached(report.legs) for goal in GOALS) else 1


if __name__ == "__main__":
    sys.exit(main())
