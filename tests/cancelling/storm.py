"""The storm inside one process: waves of requests, half of them cancelled some turns of the event loop later."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.cancelling.disturbances import Disturbances
from tests.cancelling.findings import Findings
from tests.cancelling.graph import Graph
from tests.cancelling.requests import Requests
from tests.cancelling.stages import stage_of

TURNS_MAX = 600
"""Nobody is cancelled later. Few turns are drawn as often as many: from before the start to after a commit."""


class _Victim(NamedTuple):
    turn: int
    task: asyncio.Task[None]
    graph: Graph
    name: str


class Storm:
    """``drivers`` waves of ``size`` requests are under way at the same time."""

    def __init__(
        self, graphs: Sequence[Graph], requests: Requests, findings: Findings, disturbances: Disturbances,
        rng: random.Random, *, size: int = 256, drivers: int = 4,
    ) -> None:  # fmt: skip
        self._graphs = graphs
        self._requests = requests
        self._findings = findings
        self._disturbances = disturbances
        self._rng = rng
        self._size = size
        self._drivers = drivers

    async def rage(self, cancellations: int, progressed: Callable[[int], None] = lambda _: None) -> None:
        """Until so many more requests have been cancelled. ``progressed`` is told how many have been in all."""
        until = self._findings.cancelled.total() + cancellations
        started = time.monotonic()

        async def drive() -> None:
            while self._findings.cancelled.total() < until:
                await self._wave()
                progressed(self._findings.cancelled.total())
                await self._disturbances.maybe()

        await asyncio.gather(*[drive() for _ in range(self._drivers)])
        self._findings.seconds += time.monotonic() - started

    async def _wave(self) -> None:
        rng, tasks, victims = self._rng, [], []
        for request, entity_id in self._requests.draw(self._size):
            graph = rng.choice(self._graphs)
            task = asyncio.create_task(self._requests.run(request, graph, entity_id))
            tasks.append(task)
            if rng.random() < 0.55:
                turn = round(math.exp(rng.random() * math.log(TURNS_MAX + 1))) - 1
                victims.append(_Victim(turn, task, graph, f"thing:{entity_id}"))
        victims.sort(key=lambda victim: victim.turn)
        hit = await self._strike(victims)
        await asyncio.wait(tasks)
        for task in tasks:
            if task.cancelled():
                self._findings.cancelled[hit.get(task, "by nobody")] += 1
                if task not in hit:
                    self._findings.violated("a request was cancelled that nobody had cancelled")

    async def _strike(self, victims: Sequence[_Victim]) -> dict[asyncio.Task[Any], str]:
        """The stages in which they were hit; of those that had not ended before."""
        hit: dict[asyncio.Task[Any], str] = {}
        turn = 0
        for due, task, graph, name in victims:
            while turn < due:
                await asyncio.sleep(0)
                turn += 1
            if not task.done():
                hit[task] = stage_of(task, graph, name)
                task.cancel()
        return hit
