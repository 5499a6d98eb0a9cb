"""`python -m tests.naive`: the same work on real servers, cached in five ways; how many reads of each were stale.

Ends with 1 if Aside returned anything stale, or anybody another key's value.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from service.embedded import private_postgres, private_valkey
from tests.naive.aside import Aside
from tests.naive.figures import Figures
from tests.naive.leg import run_leg
from tests.naive.plan import Plan
from tests.naive.report import LEGS, Line, write_report
from tests.naive.strategies import NAIVE, CacheAside
from tests.support.databases import DatabaseMint

STRATEGIES: tuple[type[CacheAside] | type[Aside], ...] = (*NAIVE, Aside)
_STEP = 250


def run_all(plan: Plan, mint: DatabaseMint, progress: Progress) -> list[Line]:
    whole = progress.add_task("all", total=plan.operations * len(STRATEGIES) * len(LEGS))
    lines = []
    for strategy in STRATEGIES:
        by_leg: dict[str, Figures] = {}
        for with_failures, leg in LEGS.items():
            with counting(progress, f"{strategy.name}, {leg}", plan.operations, whole) as reached:
                by_leg[leg] = run_one(strategy, plan, mint, with_failures=with_failures, reached=reached)
        lines.append(Line(strategy.name, strategy.says, by_leg))
    return lines


def run_one(
    strategy: type[CacheAside] | type[Aside], plan: Plan, mint: DatabaseMint, *, with_failures: bool,
    reached: Callable[[int], None],
) -> Figures:  # fmt: skip
    with (
        mint.database() as url,
        private_valkey() as valkey,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(
            run_leg(strategy, plan, database_url=url, valkey=valkey, with_failures=with_failures, reached=reached)
        )


@contextmanager
def counting(progress: Progress, title: str, total: int, whole: int) -> Iterator[Callable[[int], None]]:
    task = progress.add_task(title, total=total)

    def reached(number: int) -> None:
        if number % _STEP == 0:
            progress.advance(task, _STEP)
            progress.advance(whole, _STEP)

    yield reached
    progress.remove_task(task)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.naive", description=__doc__)
    parser.add_argument("--operations", type=int, default=220_000, help="in each leg of each strategy (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=Path("docs/proof/naive"), metavar="DIR")
    arguments = parser.parse_args()
    plan = Plan(seed=arguments.seed, operations=arguments.operations)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    console = Console()
    columns = (
        TextColumn("{task.description:34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress, private_postgres() as postgres:
        lines = run_all(plan, DatabaseMint(postgres), progress)
    command = shlex.join(["python", "-m", "tests.naive", *sys.argv[1:]])
    write_report(arguments.report, plan, lines, command=command)
    console.print(
        (arguments.report / "naive.md").read_text().partition("\n## ")[0], soft_wrap=True, markup=False, highlight=False
    )
    own = lines[-1].by_leg.values()
    strange = sum(found.wrong for line in lines for found in line.by_leg.values())
    return 1 if strange or any(found.stale_reads for found in own) else 0


if __name__ == "__main__":
    sys.exit(main())
