"""`python -m tests.chaos`: real servers and replicas, hundreds of clients, hundreds of faults; every answer is checked.

Ends with 1 on any violation. `--operations` and `--minutes` say how long: the plan of faults lasts for as many minutes,
and is followed by calm until so many operations are checked.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import uvloop
from rich.console import Console

from tests.chaos import plots, report
from tests.chaos.campaign import Campaign, Outcome, follow_primary
from tests.chaos.plan import forms_of, only, plan
from tests.chaos.progress import show
from tests.chaos.stage import open_stage

LONGEST_MINUTES = 180.0


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--operations", type=int, default=0, help="go on until so many are checked")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults come")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--redis", choices=("valkey", "redis", "sentinel"), default="valkey", dest="leg")
    parser.add_argument("--only", action="append", metavar="KIND", help="only faults of this kind; may be repeated")
    parser.add_argument("--every", type=float, default=2.6, help="seconds from fault to fault, on average")
    parser.add_argument("--rate", type=float, default=1_300.0, help="requests per second that clients try for")
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--report", type=Path, help="where to write the JSON; Markdown and pictures beside it")
    return parser.parse_args()


async def run(given: argparse.Namespace, console: Console) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    forms = only(forms_of(given.leg), given.only) if given.only else forms_of(given.leg)
    if not forms:
        raise SystemExit(f"no fault of these kinds on {given.leg}: {', '.join(given.only)}")
    faults = plan(given.seed, seconds=given.minutes * 60, every_seconds=given.every, forms=forms)
    console.print(
        f"{len(faults)} faults in {given.minutes:g} minutes, seed {given.seed}, {given.leg}; starting servers …"
    )
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(open_stage(given.leg))
        campaign = Campaign(
            stage,
            faults,
            seconds=LONGEST_MINUTES * 60 if given.operations else given.minutes * 60,
            operations=given.operations,
            rate=given.rate,
            clients=given.clients,
            seed=given.seed,
            on_violation=lambda violation: console.print(f"VIOLATION {violation}", style="red", highlight=False),
        )
        beside = [asyncio.create_task(show(campaign, console, planned=len(faults)))]
        if given.leg == "sentinel":
            beside.append(asyncio.create_task(follow_primary(stage)))
        try:
            outcome = await campaign.run()
        finally:
            for each in beside:
                each.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
    return conclude(outcome, given, console)


def conclude(outcome: Outcome, given: argparse.Namespace, console: Console) -> int:
    about = {
        "leg": given.leg,
        "seed": given.seed,
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "clocks": "+1 h, -1 h, 0 (Python's, in the process)",
        "target_requests_per_second": given.rate,
        "clients": given.clients,
    }
    found = report.figures(outcome, about)
    if given.report is not None:
        report.write(given.report, found)
        plots.draw(found, outcome, given.report)
    for violation in outcome.violations:
        console.print(f"VIOLATION {violation}", style="red", highlight=False)
    old = found["plain_sql"]["old_answers_after_commit_ms"]
    console.print(
        f"{found['checked_operations']:,} operations checked in {found['seconds']:,.0f} s"
        f" ({found['checked_per_second']:,.0f}/s), {found['fault_count']} faults, {len(outcome.violations)} violations."
        f" Old answers after a commit of plain SQL, under faults (ms): {old['faults']}",
        highlight=False,
        soft_wrap=True,
    )
    return 1 if outcome.violations or not outcome.checked else 0


def main() -> int:
    console = Console()
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        return uvloop.run(run(options(), console))
    console.print("interrupted; everything that was started has ended")
    return 130


if __name__ == "__main__":
    sys.exit(main())
