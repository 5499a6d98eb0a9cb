"""What one seed is about: swarm testing. Each seed picks its own few kinds of faults, and its own parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from service.cache.policy import Policy, Strategy
from tests.simulation.network import Weather

BOUND_SECONDS = 1.0
STATEMENT_SECONDS = 1.0
CONNECT_SECONDS = 0.5
OPERATION_SECONDS = 0.2
BUDGET_SECONDS = 0.28
LEASE_WAIT_SECONDS = 0.15

FAULTS = (
    "cut redis", "cut postgres", "crash", "pause", "evict", "flush", "forget scripts", "restart redis",
    "fail over", "terminate backend", "restart postgres", "plain sql", "truncate", "redis clock",
)  # fmt: skip


@dataclass(slots=True)
class Plan:
    """``window`` (seconds) is the time in which clients begin and faults strike."""

    replicas: int
    keys: int
    policy: Policy
    weather: Weather
    fails_over: bool
    poll_seconds: float
    page_size: int
    lease_ms: int
    load_connections: int
    commit_seconds: float
    window: float
    think_seconds: float
    clients: int
    operations: int
    writes: float
    """The share of operations that write."""
    cancels: float
    rows_at_first: bool
    faults: list[str] = field(default_factory=list)


def make_plan(rng: Random) -> Plan:
    choice, chance = rng.choice, rng.random
    delay = choice((0.001, 0.005, 0.02, 0.04))
    plan = Plan(
        replicas=choice((2, 2, 2, 2, 2, 2, 2, 3)),
        keys=choice((1, 1, 2)),
        policy=Policy(
            strategy=choice((Strategy.CACHE_ASIDE, Strategy.WRITE_THROUGH)),
            ttl_seconds=choice((0.15, 0.6, 30.0, 30.0)),
            negative_ttl_seconds=choice((0.3, 30.0)),
            jitter=0.1,
            stale_if_error_seconds=choice((0.0, 0.0, 0.0, 3.0)),
            early_refresh_beta=choice((0.0, 1.0, 1.0)),
        ),
        weather=Weather(
            delay=delay,
            slow_chance=choice((0.0, 0.0, 0.02, 0.08)),
            slow_delay=choice((delay * 10, 0.3, 1.2)),
            reset_chance=choice((0.0, 0.0, 0.0, 0.01, 0.04)),
        ),
        fails_over=chance() < 0.3,
        poll_seconds=choice((0.1, 0.25, 0.25, 0.25)),
        page_size=choice((1, 100, 100)),
        lease_ms=choice((100, 300, 2_000)),
        load_connections=choice((1, 2)),
        commit_seconds=choice((0.0005, 0.01, 0.05)),
        window=choice((0.15, 0.5, 1.2)),
        think_seconds=choice((0.002, 0.02, 0.1)),
        clients=choice((2, 3, 4)),
        operations=choice((2, 3, 4)),
        writes=choice((0.2, 0.4, 0.6)),
        cancels=choice((0.0, 0.1)),
        rows_at_first=chance() < 0.5,
    )
    kinds = [kind for kind in FAULTS if chance() < 0.16 and (kind != "fail over" or plan.fails_over)]
    for kind in kinds:
        plan.faults += [kind] * choice((1, 1, 2))
    return plan
