"""`python -m tests.cancelling`: a million requests that are cancelled half-way, among others whose answers are checked.

Ends with 1 if any answer was wrong, or anything was not given back.
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
from service.embedded.private import private_folder
from tests.cancelling.findings import Findings
from tests.cancelling.inside import storm_inside
from tests.cancelling.outside import environment, storm_outside
from tests.cancelling.report import markdown, write_report
from tests.support.databases import DatabaseMint
from tests.support.service_process import ServiceProcess

OUTSIDE = 0.1
"""The share of the leg over HTTP, which is that much slower."""


def inside(mint: DatabaseMint, cancellations: int, seed: int, progressed: Callable[[int], None]) -> Findings:
    with (
        mint.database() as url,
        private_valkey() as valkey,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(
            storm_inside(
                database_url=url, redis_url=valkey.url, cancellations=cancellations, seed=seed, progressed=progressed
            )
        )


def outside(mint: DatabaseMint, cancellations: int, seed: int, progressed: Callable[[int], None]) -> Findings:
    with (
        mint.database() as url,
        private_valkey() as valkey,
        private_folder() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        service = ServiceProcess(folder / "service.log", environment(url, valkey.url)).start()
        try:
            return runner.run(
                storm_outside(
                    service, database_url=url, redis_url=valkey.url, cancellations=cancellations, seed=seed,
                    progressed=progressed,
                )
            )  # fmt: skip
        finally:
            service.kill()


@contextmanager
def counting(progress: Progress, title: str, total: int) -> Iterator[Callable[[int], None]]:
    task = progress.add_task(title, total=total)
    yield lambda cancelled: progress.update(task, completed=min(cancelled, total))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cancelling", description=__doc__)
    parser.add_argument("--cancellations", type=int, default=1_000_000, help="in both legs together (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=Path("docs/proof/cancelling"), metavar="DIR")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    over_http = round(arguments.cancellations * OUTSIDE)
    console, legs = Console(), {}
    columns = (
        TextColumn("{task.description:20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress, private_postgres() as postgres:
        mint = DatabaseMint(postgres)
        for name, leg, share in (
            ("in one process", inside, arguments.cancellations - over_http),
            ("over HTTP", outside, over_http),
        ):
            with counting(progress, name, share) as progressed:
                legs[name] = leg(mint, share, arguments.seed, progressed)
    command = shlex.join(["python", "-m", "tests.cancelling", *sys.argv[1:]])
    write_report(arguments.report, legs, command=command, seed=arguments.seed)
    console.print(markdown(legs, command=command, seed=arguments.seed), soft_wrap=True, markup=False, highlight=False)
    return 0 if all(found.is_clean for found in legs.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
