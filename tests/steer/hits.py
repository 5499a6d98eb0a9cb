"""`python -m tests.steer.hits URL RATE KEYS FILE`: hits at a steady rate, each timed.

A process of its own, so that what steers does not delay what measures. It begins by saying so, ends when its stdin
does, and says then, as JSON, what was answered that was no hit, and how often. The file has three doubles for each
request: when it was due, on the monotonic clock that all processes of a machine share, how many seconds its answer
took, and how many of these the server has waited for Valkey, as `Server-Timing` tells.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import re
import sys
import time
from array import array
from collections import Counter
from pathlib import Path

import uvloop

from tests.bench.asking import Connection
from tests.steer.priority import put_first

CONNECTIONS = 16
TYPE = "hot"


class Asking:
    """All connections together. A request whose connection is busy when it is due has waited since then."""

    def __init__(self, url: str, *, rate: float, keys: int) -> None:
        self._url = url
        self._rate = rate
        self._keys = keys
        self._numbers = itertools.count()
        self._ended = asyncio.Event()
        self.taken: array[float] = array("d")
        self.misses: Counter[str] = Counter()
        """By what was answered: the status, and `Cache-Status`."""

    async def run(self) -> None:
        """Until `end`."""
        begins = time.monotonic() + 0.1
        async with asyncio.TaskGroup() as group:
            for number in range(CONNECTIONS):
                group.create_task(self._ask(begins + number / self._rate))

    def end(self) -> None:
        self._ended.set()

    async def _ask(self, due: float) -> None:
        connection = await Connection.open(self._url)
        try:
            while not self._ended.is_set():
                wait = due - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                    began = time.monotonic()  # that a timer of ours rang late is not the server's doing
                else:
                    began = due
                answer = await connection.get(f"/v1/entities/{TYPE}/{next(self._numbers) % self._keys + 1}")
                took, found = time.monotonic() - began, answer.headers.get("cache-status", "")
                self.taken.extend((due, took, _cache_seconds(answer.headers.get("server-timing", ""))))
                if answer.status != 200 or "; hit" not in found:
                    self.misses[f"{answer.status} {found}".strip()] += 1
                due += CONNECTIONS / self._rate
        finally:
            connection.close()


def _cache_seconds(server_timing: str) -> float:
    found = re.match(r"cache;dur=([0-9.]+)", server_timing)
    return float(found[1]) / 1000 if found else 0.0


async def _ask_until_stdin_ends(asking: Asking) -> None:
    asyncio.get_running_loop().add_reader(sys.stdin, asking.end)
    gc.freeze()
    sys.stdout.write("asking\n")
    sys.stdout.flush()
    await asking.run()


def main(url: str, rate: str, keys: str, file: str) -> None:
    put_first(os.getpid())
    asking = Asking(url, rate=float(rate), keys=int(keys))
    uvloop.run(_ask_until_stdin_ends(asking))
    Path(file).write_bytes(asking.taken.tobytes())
    sys.stdout.write(f"{json.dumps(asking.misses)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
