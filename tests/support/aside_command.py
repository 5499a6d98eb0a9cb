"""A command of `aside` as people run it: a process of its own, to its end."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from tests.support.nursery import Wanted, nursery
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


async def aside(*arguments: str, **environment: str) -> Ended:
    """Run it. Of Aside's variables it sees ``environment`` only."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    wanted = Wanted(arguments, {**inherited, "COLUMNS": "200", **environment}, os.getcwd())
    with TemporaryFile() as stdout, TemporaryFile() as stderr:
        process = await asyncio.to_thread(nursery().fork, wanted, stdout=stdout.fileno(), stderr=stderr.fileno())
        try:
            exit_code = await asyncio.to_thread(process.wait)
        finally:
            process.kill()
        return Ended(exit_code, _all_of(stdout), _all_of(stderr))


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
