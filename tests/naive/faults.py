"""Does what the plan says, to real servers and real connections."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.embedded import Valkey
from tests.naive.link import Link
from tests.naive.plan import Fault
from tests.support.valkey_commands import command


class Breaker:
    """One fault at a time: where two would overlap, the second begins when the first is over."""

    def __init__(self, faults: Sequence[Fault], links: Sequence[Link], valkey: Valkey) -> None:
        self._coming = list(reversed(faults))
        self._links = links
        self._valkey = valkey
        self._due: asyncio.Queue[Fault] = asyncio.Queue()
        self.done = 0

    def reached(self, operation: int) -> None:
        """Told before each operation."""
        while self._coming and self._coming[-1].at <= operation:
            self._due.put_nowait(self._coming.pop())

    async def run(self) -> None:
        """Until it is cancelled; then all is whole again."""
        try:
            while True:
                await self._do(await self._due.get())
                self.done += 1
        finally:
            for link in self._links:
                link.restore()

    async def _do(self, fault: Fault) -> None:
        link = self._links[fault.replica]
        if fault.kind == "restart":
            await asyncio.to_thread(self._valkey.kill)
            await asyncio.to_thread(self._valkey.start)
            return
        if fault.kind == "evict":
            await self._limit("1kb")
        elif fault.kind == "cut":
            link.cut()
        elif fault.kind == "delay":
            link.delay(fault.seconds)
        else:
            link.drop_replies()
        await asyncio.sleep(fault.seconds)
        if fault.kind == "evict":
            await self._limit(self._valkey.options["maxmemory"])
        else:
            link.restore()

    async def _limit(self, bytes_: str) -> None:
        """Under a limit that nothing fits in, every key is evicted, and every SET refused."""
        await asyncio.to_thread(command, self._valkey.url, "CONFIG", "SET", "maxmemory", bytes_)
