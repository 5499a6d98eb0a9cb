"""Starts the processes that make load, lets them begin together, and adds up what they report."""

from __future__ import annotations

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable

from service.bench.errors import BenchFailedError
from service.bench.generator import LENGTH_BYTES
from service.bench.plan import Plan
from service.bench.tally import Report, together

_START_SECONDS = 30.0


async def generate(plan: Plan, stop: asyncio.Event, *, on_report: Callable[[Report], None]) -> Report:
    """Carry out the plan, or as much of it as is done when ``stop`` is set. ``on_report`` is called every second.

    Raises BenchFailedError where a process ends without having said what it saw.
    """
    processes = [await _start(plan, number) for number in range(plan.processes)]
    try:
        latest = await _first_reports(processes, within_seconds=_START_SECONDS + plan.timeout_seconds)
        for process in processes:
            _input(process).write(b"!")
        stopping = asyncio.create_task(_close_inputs(processes, stop))
        await asyncio.gather(*[_watch(process, latest, place, on_report) for place, process in enumerate(processes)])
        stopping.cancel()
        return together(latest)
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _first_reports(processes: list[Process], *, within_seconds: float) -> list[Report]:
    """They are connected, as far as that was possible."""
    try:
        async with asyncio.timeout(within_seconds):
            return [(await _read(process))[0] for process in processes]
    except TimeoutError as error:
        raise BenchFailedError(f"the processes that make load did not start within {within_seconds:g} s") from error


async def _start(plan: Plan, number: int) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.bench.generator", stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    _input(process).write(pickle.dumps((plan, number)))
    return process


async def _watch(process: Process, latest: list[Report], place: int, on_report: Callable[[Report], None]) -> None:
    """Keep what it reported last. The first process beats the time for all."""
    is_last = False
    while not is_last:
        latest[place], is_last = await _read(process)
        if place == 0 and not is_last:
            on_report(together(latest))
    await process.wait()


async def _read(process: Process) -> tuple[Report, bool]:
    assert process.stdout is not None
    try:
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
        report, is_last = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301 (our own child's)
    except asyncio.IncompleteReadError as error:
        raise BenchFailedError("a process that made load ended before its time") from error
    return report, is_last


async def _close_inputs(processes: list[Process], stop: asyncio.Event) -> None:
    await stop.wait()
    for process in processes:
        _input(process).close()


def _input(process: Process) -> asyncio.StreamWriter:
    assert process.stdin is not None
    return process.stdin
