"""A process that makes load, and does nothing else: drawing figures on a screen would show in the latencies.

It reads the plan from its standard input, says when it is connected, begins when told so by a byte, and reports every
second. The end of its input ends it early: so it does not outlive the one who started it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import resource
import sys
from contextlib import suppress

import uvloop

from service.bench.closed_loop import ClosedLoop
from service.bench.driving import Driver
from service.bench.open_loop import OpenLoop
from service.bench.plan import Plan

REPORT_SECONDS = 1.0
LENGTH_BYTES = 4


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # thousands of connections are more files than a process may often begin with
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    plan, process = pickle.load(sys.stdin.buffer)  # noqa: S301 (of the process that started this one)
    with suppress(BrokenPipeError):
        uvloop.run(_generate(plan, process))


async def _generate(plan: Plan, process: int) -> None:
    driver = ClosedLoop(plan, process) if plan.rate is None else OpenLoop(plan, process)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    await driver.open()
    _tell(driver, is_last=False)
    if not await orders.read(1):
        return
    gc.freeze()  # what stands ready for the whole run need not be looked through again and again
    stop = asyncio.Event()
    beside = [asyncio.create_task(_stop_at_the_end(orders, stop)), asyncio.create_task(_report(driver))]
    await driver.run(stop)
    for task in beside:
        task.cancel()
    _tell(driver, is_last=True)


async def _stop_at_the_end(orders: asyncio.StreamReader, stop: asyncio.Event) -> None:
    await orders.read()
    stop.set()


async def _report(driver: Driver) -> None:
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        if driver.is_asking:
            _tell(driver, is_last=False)


def _tell(driver: Driver, *, is_last: bool) -> None:
    """A length and a pickle; a few kB, which the pipe holds, so that nobody waits for the reader."""
    message = pickle.dumps((driver.now(), is_last))
    os.write(sys.stdout.fileno(), len(message).to_bytes(LENGTH_BYTES) + message)


if __name__ == "__main__":
    main()
