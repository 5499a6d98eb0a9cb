"""All legs, one after the other, on one stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from tests.steer.load import hits_of
from tests.steer.plan import Plan
from tests.steer.slowlog import SlowLog
from tests.steer.stage import Stage
from tests.steer.steering import Steering
from tests.steer.ways import Way
from tests.steer.windows import Leg, Turns


def run_campaign(
    plan: Plan, stage: Stage, ways: Sequence[Way], *, begins: Callable[[Way], None], passed: Callable[[float], None]
) -> tuple[dict[str, Leg], dict[str, int]]:
    """Each way in all its windows, and what was answered beside them that was no hit.

    ``begins`` is told what comes next, ``passed`` the seconds of each pair of windows.
    """
    legs: dict[str, Leg] = {}
    with closing(SlowLog(stage.valkey.url)) as slow_log, Steering.of(stage) as steering:
        turns = Turns(calm_seconds=plan.window_seconds, slowest=slow_log.slowest, forget=slow_log.forget, passed=passed)
        with hits_of(stage.service.url, plan, stage.folder) as hits:
            for way in ways:
                begins(way)
                leg = legs[way.name] = Leg(way.title)
                take = turns.take_before_as_long_a_calm if way.is_timed_once else turns.take
                for work in way.windows(steering):
                    take(leg, work)
    for leg in legs.values():
        leg.count(hits)
    return legs, hits.misses
