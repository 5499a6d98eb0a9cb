"""The whole of `aside bench`: what is loaded, the load, what is told of it, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sys

import httpx
from rich.console import Console

from service.bench.fleet import generate
from service.bench.live import showing
from service.bench.options import SEEDED_TYPE, Options, plan_of, subject_of
from service.bench.plan import Plan, parameters
from service.bench.preparing import check_reachable, client_of, list_parameters, remove, seed
from service.bench.summary import as_json, show_summary
from service.bench.tally import Report

TOO_MANY_ERRORS = 3
_FILE_WIDTH = 120


def run(options: Options) -> int:
    """The exit code: 0, or 3 where more failed than ``max_errors``.

    Raises BadOptionError, UnreachableError or BenchFailedError.
    """
    return asyncio.run(_run(options))


async def _run(options: Options) -> int:
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    console = Console(highlight=False, soft_wrap=True, quiet=options.as_json, width=width)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    subject = subject_of(options, secrets.token_hex(4))
    async with client_of(options.target) as client:
        if options.parameters:
            # Everything else is checked before the first request.
            plan_of(options, parameters(("any",)))
            subject = parameters(await list_parameters(client))
        plan = plan_of(options, subject)
        report = await _load(client, plan, stop, options, console)
    if options.as_json:
        print(json.dumps(as_json(plan, report)))  # noqa: T201 (nothing else is on stdout)
    else:
        show_summary(console, plan, report)
    return TOO_MANY_ERRORS if report.total.errors > options.max_errors else 0


async def _load(
    client: httpx.AsyncClient, plan: Plan, stop: asyncio.Event, options: Options, console: Console
) -> Report:
    if not options.seeds:
        await check_reachable(client, plan)
        return await _generate(plan, stop, console)
    ids, written = plan.subject.ids, list[str]()
    span = f"entities of type {SEEDED_TYPE}, {ids[0]} to {ids[-1]}"
    console.print(f"Writing {len(ids):,} {span} …", markup=False)
    try:
        await seed(client, plan, stop, written=written)
        return await _generate(plan, stop, console)
    finally:
        if options.keep:
            console.print(f"They are kept: --type {SEEDED_TYPE} --ids {ids[0]}:{len(ids)} reads them again.")
        elif left := await remove(client, written):
            Console(stderr=True, soft_wrap=True).print(f"{left:,} could not be removed, of the {span}", markup=False)


async def _generate(plan: Plan, stop: asyncio.Event, console: Console) -> Report:
    loop = "closed loop" if plan.rate is None else f"open loop, {plan.rate:g} requests per second"
    mix = ", ".join(f"{share.weight:g} {share.kind}" for share in plan.mix)
    count = len(plan.subject.ids)
    keys = f"{count:,} keys, {plan.distribution}" if count > 1 else "1 key"
    console.print(f"{plan.target.url}: {plan.connections} connections, {loop}; {keys}; {mix}", markup=False)
    with showing(console, plan) as watch:
        return await generate(plan, stop, on_report=watch)
