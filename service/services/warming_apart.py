"""A warming in a process of its own, at the command of this one: what it reads and fills is on no loop that serves.

    here:   the order, on its stdin, which then stays open ── notes what it tells ── closes stdin: the end
    there:  warms page by page ── tells on its stdout how far it is ── ends its pages, says the last, and ends

It ends in the same way where this process dies, whose end of the pipe is closed by the kernel.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from typing import NamedTuple

from service.errors import UnavailableError
from service.services.warming import Place, Tally, Wanted

_END_SECONDS = 10.0
"""So long may the pages in flight take to end. Then their leases are left to expire."""


class Order(NamedTuple):
    """All that the other process is told. It goes by a pipe between the two, and nowhere else. ``settings`` are the
    whole service's, which are above this layer.
    """

    settings: object
    wanted: Wanted
    rows_per_second: float | None
    begin_at: Place | None


class WarmingApart:
    """``module`` is what the other process runs."""

    def __init__(self, settings: object, *, module: str) -> None:
        self._settings = settings
        self._argv: Sequence[str] = (sys.executable, "-m", module)

    async def run(
        self, wanted: Wanted, *, rows_per_second: float | None,
        on_progress: Callable[[Tally, Place | None], None], begin_at: Place | None = None,
    ) -> Tally:  # fmt: skip
        """As `Warming.run`. Raises UnavailableError; also where the process ends without a word."""
        process = await asyncio.create_subprocess_exec(*self._argv, stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        listening = asyncio.create_task(_listen(process.stdout, on_progress))
        try:
            process.stdin.write(pickle.dumps(Order(self._settings, wanted, rows_per_second, begin_at)))
            await asyncio.wait([listening])
        finally:
            process.stdin.close()
            await asyncio.wait([listening], timeout=_END_SECONDS)
            if not listening.done():
                process.kill()
            await asyncio.gather(listening, process.wait(), return_exceptions=True)
        return listening.result()


async def _listen(lines: StreamReader, on_progress: Callable[[Tally, Place | None], None]) -> Tally:
    while line := await lines.readline():
        said = json.loads(line)
        if "unavailable" in said:
            raise UnavailableError(said["unavailable"])
        tally = Tally(*said["tally"])
        if said["is_done"]:
            return tally
        on_progress(tally, None if said["place"] is None else Place(*said["place"]))
    raise UnavailableError("the process that warms has ended")
