"""Every replica is stopped, and started anew, one by one, again and again, while clients read and write."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.rollout.load import Load, Verdict, judged, under_load
from tests.rollout.release import CURRENT
from tests.rollout.slot import Span
from tests.rollout.stage import Stage


@dataclass(frozen=True, slots=True)
class Restarted:
    """``began`` is monotonic, as are the spans; ``door`` counts what the load balancer tried again."""

    verdict: Verdict
    began: float
    spans: list[Span]
    ready_seconds: list[float]
    cpu_seconds: list[float]
    door: dict[str, int]
    load: Load


async def rolling_restarts(stage: Stage, *, rounds: int, readers: int, writers: int) -> Restarted:
    """The replicas run already."""
    for slot in stage.slots:
        slot.ready_seconds.clear()  # those were started together
        slot.cpu_seconds.clear()
    began = time.monotonic()
    async with under_load(stage.door, readers=readers, writers=writers) as load:
        for _ in range(rounds):
            for slot in stage.slots:
                await slot.replace(CURRENT)
    return Restarted(
        verdict=await judged(load, stage.urls["DATABASE_URL"]),
        began=began,
        spans=[span for slot in stage.slots for span in slot.spans],
        ready_seconds=[seconds for slot in stage.slots for seconds in slot.ready_seconds],
        cpu_seconds=[seconds for slot in stage.slots for seconds in slot.cpu_seconds],
        door=stage.statistics.counts(),
        load=load,
    )
