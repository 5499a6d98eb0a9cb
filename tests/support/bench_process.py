"""`aside bench` as users run it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def figures(self) -> dict[str, Any]:
        """What `--json` printed: all of it, so that anything else beside it is a failure."""
        assert self.stdout, self.stderr
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found


class BenchProcess:
    """One that runs."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def line_with(self, text: str) -> str:
        """The next line of its output that has this in it."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if text in line.decode():
                return line.decode()
        raise AssertionError(f"it ended without saying {text!r}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def end(self) -> Ended:
        stdout, stderr = await self._process.communicate()
        assert self._process.returncode is not None
        return Ended(self._process.returncode, stdout.decode(), stderr.decode())


@asynccontextmanager
async def running_bench(*arguments: str) -> AsyncIterator[BenchProcess]:
    """Does not outlive the block."""
    argv = [sys.executable, "-m", "service", "bench", *arguments]
    process = await asyncio.create_subprocess_exec(*argv, stdout=PIPE, stderr=PIPE)
    try:
        yield BenchProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def bench(*arguments: str) -> Ended:
    """Run it to its end."""
    async with running_bench(*arguments) as process:
        return await process.end()


def slower_than(figures: dict[str, Any], limit_ms: float) -> int:
    """How many requests took longer."""
    return sum(count for upper_ms, count in figures["histogram"] if upper_ms > limit_ms)
