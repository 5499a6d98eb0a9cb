"""A command of `aside` as people run it: a process of its own, to its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tests.support.nursery import Forked, Wanted, nursery
from tests.support.service_process import OURS


@dataclass(frozen=True, slots=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def told(self) -> Any:
        """What `--json` printed: all of it, so that anything else beside it is a failure."""
        assert self.stdout, self.stderr
        return json.loads(self.stdout)


class Running:
    """A command that has been begun."""

    def __init__(self, process: Forked, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self._process = process
        self._stdout = stdout
        self._stderr = stderr

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        """Wait for it."""
        return Ended(self._process.wait(), _all_of(self._stdout), _all_of(self._stderr))


@contextmanager
def running_aside(*arguments: str, **environment: str) -> Iterator[Running]:
    """Begin it; it does not outlive the block. Of Aside's variables it sees ``environment`` only."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    wanted = Wanted(arguments, {**inherited, "COLUMNS": "200", **environment}, str(Path.cwd()))
    with TemporaryFile() as stdout, TemporaryFile() as stderr:
        process = nursery().fork(wanted, stdout=stdout.fileno(), stderr=stderr.fileno())
        try:
            yield Running(process, stdout, stderr)
        finally:
            process.kill()
            process.wait()


def run_aside(*arguments: str, **environment: str) -> Ended:
    """Run it to its end."""
    with running_aside(*arguments, **environment) as command:
        return command.end()


async def aside(*arguments: str, **environment: str) -> Ended:
    """The same, while others go on."""
    return await asyncio.to_thread(run_aside, *arguments, **environment)


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
