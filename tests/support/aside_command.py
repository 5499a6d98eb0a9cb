"""A command of `aside` as people run it: a process of its own, to its end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from typing import Any

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
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", *arguments,
        stdout=PIPE, stderr=PIPE, env={**inherited, "COLUMNS": "200", **environment},
    )  # fmt: skip
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, stdout.decode(), stderr.decode())
