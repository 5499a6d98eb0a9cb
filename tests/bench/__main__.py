"""`python -m tests.bench`: Aside beside its ceiling and its peers, all of it started here, in one run.

Ends with 1 if a cell could not be measured. A goal that is missed is reported, and is no failure.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from service.embedded import EmbeddedError
from tests.bench.bench import Bench, said
from tests.bench.cells import CELLS, Cell
from tests.bench.contestants import ASIDE, CEILING, LOADERS, READERS
from tests.bench.cores import divided
from tests.bench.figures import Found
from tests.bench.goals import judge
from tests.bench.plan import QUICK, Plan
from tests.bench.report import Report, verdict_table, write_report
from tests.bench.stage import open_stage

OUTPUT = Path("docs/benchmarks")
CONTESTANTS = tuple(dict.fromkeys((ASIDE, CEILING, *READERS, *LOADERS)))


def options() -> argparse.Namespace:
    names = [cell.name for cell in CELLS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see whether all of it works (3 minutes)")
    parser.add_argument("--rounds", type=int, help="loads of each target in each cell (5)")
    parser.add_argument("--seconds", type=float, help="of each load (1.5)")
    parser.add_argument("--rows", type=int, help="of the large table (1,000,000)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="CELL", help=f"of: {', '.join(names)}")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help=f"where to write ({OUTPUT}; a temporary one for less than all)"
    )
    return parser.parse_args()


def plan_of(given: argparse.Namespace) -> Plan:
    plan = QUICK if given.quick else Plan()
    changes = {name: getattr(given, name) for name in ("rounds", "seconds", "rows") if getattr(given, name) is not None}
    return replace(plan, **changes)


def run_cells(bench: Bench, cells: list[Cell], progress: Progress) -> list[str]:
    """All cells, into ``bench.found``; returns what could not be measured, in words."""
    task, failed, done = progress.add_task("all", total=sum(cell.seconds(bench.plan) for cell in cells)), [], 0.0
    bench.passed = lambda seconds: progress.advance(task, seconds)
    for cell in cells:
        progress.update(task, description=cell.name)
        began = time.monotonic()
        try:
            bench.found[cell.name] = cell.measure(bench)
        except Exception as error:  # noqa: BLE001
            # By whatever it failed: it is said, and the others are measured all the same.
            failed.append(cell.name)
            bench.found[cell.name] = Found(left_out={"all": f"FAILED. {said(error)}"})
        for name, why in bench.found[cell.name].left_out.items():
            progress.console.print(f"LEFT OUT of {cell.name}: {name}. {why}", style="red", markup=False, soft_wrap=True)
        bench.found[cell.name].seconds = time.monotonic() - began
        if not progress.console.is_terminal:
            progress.console.print(f"{cell.name}: done after {bench.found[cell.name].seconds:.0f} s", highlight=False)
        done += cell.seconds(bench.plan)
        progress.update(task, completed=done)
    return failed


def main() -> int:
    given, console = options(), Console()
    plan, cells = plan_of(given), [cell for cell in CELLS if given.only is None or cell.name in given.only]
    output = given.output or (Path(tempfile.mkdtemp(prefix="aside-bench-")) if given.quick or given.only else OUTPUT)
    _allow_many_connections()
    command = shlex.join(["make", "bench", *_as_arguments(sys.argv[1:])])
    report = Report.begin(plan, command=command)
    columns = (TextColumn("{task.description:12}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    started = time.monotonic()
    try:
        console.print("starting PostgreSQL, Valkey and all servers …")
        with (
            divided() as cores,
            open_stage(plan, CONTESTANTS, cores) as stage,
            Progress(*columns, console=console) as progress,
        ):
            bench = Bench(plan, stage)
            failed = run_cells(bench, cells, progress)
    except EmbeddedError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; everything that was started has ended")
        return 130
    write_report(output, report.ended(bench.found, stage.missing, seconds=time.monotonic() - started))
    console.print(verdict_table(judge(bench.found)))
    console.print(f"{output / 'README.md'}, {time.monotonic() - started:,.0f} s", highlight=False, soft_wrap=True)
    return 1 if failed else 0


def _as_arguments(given: list[str]) -> list[str]:
    return [f"ARGS={shlex.join(given)}"] if given else []


def _allow_many_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
