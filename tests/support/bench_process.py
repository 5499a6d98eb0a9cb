"""`aside bench` as users run it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tests.support.nursery import Forked, Wanted, nursery


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

    def __init__(self, process: Forked, stdout: asyncio.StreamReader, stderr: IO[bytes]) -> None:
        self._process = process
        self._stdout = stdout
        self._stderr = stderr

    async def line_with(self, text: str) -> str:
        """The next line of its output that has this in it."""
        while line := await self._stdout.readline():
            if text in line.decode():
                return line.decode()
        raise AssertionError(f"it ended without saying {text!r}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def end(self) -> Ended:
        stdout = await self._stdout.read()
        exit_code = await asyncio.to_thread(self._process.wait)
        self._stderr.seek(0)
        return Ended(exit_code, stdout.decode(), self._stderr.read().decode())


@asynccontextmanager
async def running_bench(*arguments: str) -> AsyncIterator[BenchProcess]:
    """Does not outlive the block."""
    wanted = Wanted(("bench", *arguments), os.environ, str(Path.cwd()))
    readable, writable = os.pipe()
    stdout = asyncio.StreamReader()
    with os.fdopen(readable, "rb", buffering=0) as pipe, TemporaryFile() as stderr:
        protocol = asyncio.StreamReaderProtocol(stdout)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
        process = await asyncio.to_thread(nursery().fork, wanted, stdout=writable, stderr=stderr.fileno())
        os.close(writable)
        try:
            yield BenchProcess(process, stdout, stderr)
        finally:
            process.kill()
            await asyncio.to_thread(process.wait)
            transport.close()


async def bench(*arguments: str) -> Ended:
    """Run it to its end."""
    async with running_bench(*arguments) as process:
        return await process.end()


def slower_than(figures: dict[str, Any], limit_ms: float) -> int:
    """How many requests took longer."""
    return sum(count for upper_ms, count in figures["histogram"] if upper_ms > limit_ms)
