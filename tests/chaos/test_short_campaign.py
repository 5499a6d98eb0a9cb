"""The short form of `make chaos`: real servers, three replicas, a handful of faults, every answer checked."""

from __future__ import annotations

import uvloop

from tests.chaos.campaign import Campaign, Outcome
from tests.chaos.plan import Fault
from tests.chaos.stage import open_stage
from tests.support.figures import show

PLAN = [
    Fault(1.0, "cut link", "redis-0", 1.5),
    Fault(2.0, "kill replica", "replica-1", 0.2),
    Fault(3.0, "kill redis clients", "", 0.1),
    Fault(4.0, "freeze redis", "", 0.7),
    Fault(5.5, "terminate backends", "all", 0.1),
    Fault(6.0, "truncate", "", 0.1),
    Fault(7.0, "kill redis", "", 0.2),
]


async def campaign() -> Outcome:
    async with open_stage("valkey") as stage:
        return await Campaign(stage, PLAN, seconds=9, rate=400, clients=60, seed=1).run()


def test_a_short_campaign_finds_no_violation() -> None:
    outcome = uvloop.run(campaign())
    show(f"\n{outcome.checked} checked operations, {len(outcome.episodes)} faults, {dict(outcome.tally.errors)}")
    assert [str(violation) for violation in outcome.violations] == []
    assert len(outcome.episodes) == len(PLAN)
    assert outcome.checked > 500
    assert outcome.tally.outcomes["hit"] > 0
    assert outcome.written.changes > 0
