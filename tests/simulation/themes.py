"""Directed themes: beside the mixed swarm, seeds that make one kind of environment likely, and nothing else.

A theme starts from a plan of the swarm and fixes some of its choices: which messages are slow, which faults strike and
when, what clients ask. It knows nothing of the service's inside, and all of it may happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from service.cache.policy import Strategy
from service.db.sql import sql
from tests.simulation.network import Slow
from tests.simulation.pg_server import IDLES, LEADS
from tests.simulation.plan import _LOAD, _SCRIPTS, BOUND_SECONDS, Plan, make_plan

SWARM = "swarm"
_LEASE, _FILL, _APPLY, _GRANT = (_SCRIPTS[name] for name in ("lease", "fill", "apply", "grant"))
_POLL, _NOTE = sql("relay_poll"), sql("relay_note")
_IDLE = f"{IDLES}{round(BOUND_SECONDS * 1000)}"
_READS = ("get",) * 8 + ("no-cache",)
_PUTS = ("put",)
_REQUEST, _REPLY = False, True


def _calm(plan: Plan, rng: Random, slow: Mapping[tuple[Any, bool], Slow], **fields: Any) -> None:
    """No slow messages but these; many short operations on one key, heard of elsewhere at once."""
    delay = rng.choice((0.001, 0.003))
    for weather in (plan.weather, plan.pg_weather):
        weather.delay = delay
        weather.slow_chance = weather.reset_chance = 0.0
        weather.victim = None
        weather.slow, weather.strays = dict(slow), {}
    chosen: dict[str, Any] = {
        "keys": 1, "rows_at_first": True, "begins_at_once": False, "fails_over": False, "cancels": 0.0, "faults": [],
        "poll_seconds": 0.25, "page_size": 100, "commit_seconds": 0.0005, "load_connections": 2,
        "window": 1.2, "think_seconds": 0.06, "clients": 3, "operations": 8, "writes": 0.3,
        "read_kinds": _READS, "write_kinds": _PUTS, "echoes": 0.7, "echo_seconds": 0.05,
        "policy": replace(plan.policy, ttl_seconds=30.0, negative_ttl_seconds=30.0, stale_if_error_seconds=0.0),
    }  # fmt: skip
    for field, value in (chosen | fields).items():
        setattr(plan, field, value)


def _restarts(plan: Plan, rng: Random) -> None:
    """Redis comes back from a snapshot, quickly, while the relay's polls are slow."""
    slow = {(_POLL, rng.random() < 0.5): Slow(0.7, 0.6)} if rng.random() < 0.6 else {}
    kinds = ("restart redis", "restart redis short of keys", "restart redis short of keys", "plain sql")
    faults = [rng.choice(kinds) for _ in range(rng.choice((2, 3, 4)))]
    if rng.random() < 0.4:  # nobody meets, and so mends, what is old, until the end
        _calm(
            plan, rng, slow, keys=2, clients=2, operations=6, think_seconds=0.4, writes=0.5, echoes=0.2, faults=faults
        )
    else:
        _calm(plan, rng, slow, operations=12, faults=faults)


def _outages(plan: Plan, rng: Random) -> None:
    """One replica, or at times everybody, loses Redis for longer than a heartbeat lives; the ledger is slow. Few come,
    so that what is old lies in the cache for a while.
    """
    fault = rng.choice(("long cut", "long cut", "cut all from redis"))
    _calm(
        plan, rng, {(_POLL, _REPLY): Slow(0.7, 0.5), (_NOTE, _REQUEST): Slow(0.6, 0.6)},
        keys=2, replicas=2, window=2.5, operations=12, clients=rng.choice((3, 5)), think_seconds=0.4, writes=0.08,
        stays=True, echoes=0.6, echo_seconds=0.6, faults=[fault, *["plain sql"] * rng.choice((1, 2, 3))],
        moments={fault: (0.1, 0.2), "plain sql": (0.6, 1.0)},
    )  # fmt: skip


def _crossed_cuts(plan: Plan, rng: Random) -> None:
    """One replica loses PostgreSQL while another loses Redis; the relay's messages are slow."""
    slow = {(_GRANT, _REQUEST): Slow(0.6, 0.9)} if rng.random() < 0.5 else {(_POLL, _REPLY): Slow(0.7, 0.9)}
    _calm(
        plan, rng, slow, window=2.5, operations=12, clients=4, think_seconds=0.1, writes=0.3, stays=True,
        echoes=1.0, echo_seconds=0.02, faults=["cross cuts"], moments={"cross cuts": (0.1, 0.4)},
    )  # fmt: skip


def _late_grants(plan: Plan, rng: Random) -> None:
    """Grants overtake each other while the table is truncated, and one replica has lost Redis."""
    _calm(
        plan, rng, {(_GRANT, _REQUEST): Slow(0.5, 0.9)}, window=2.0, operations=10, clients=4, poll_seconds=0.1,
        keys=2, think_seconds=0.3, echo_seconds=0.3, echoes=1.0,
        writes=0.15, stays=True, faults=["truncate", "truncate", "cut redis", "plain sql"],
        moments={"cut redis": (0.0, 0.4), "plain sql": (0.0, 0.5), "truncate": (0.3, 1.0)},
    )  # fmt: skip


def _short_leases(plan: Plan, rng: Random) -> None:
    """Loads outlive their leases, and keys are evicted."""
    slow = {(_LOAD, _REQUEST): Slow(0.4, 0.4), (_LOAD, _REPLY): Slow(0.5, 0.4), (_APPLY, _REQUEST): Slow(0.3, 0.15)}
    _calm(
        plan, rng, slow,
        lease_ms=100, think_seconds=0.03, operations=8, clients=4, replicas=rng.choice((2, 3)), writes=0.25,
        faults=[rng.choice(("evict", "plain sql")) for _ in range(6)], echo_seconds=0.2,
    )  # fmt: skip


def _late_fills(plan: Plan, rng: Random) -> None:
    """The table is truncated while rows of it are on their way to the cache."""
    busy = rng.random() < 0.5
    _calm(
        plan, rng, {(_LOAD, _REPLY): Slow(0.6, 0.9)} | ({(_POLL, _REQUEST): Slow(0.6, 0.6)} if busy else {}),
        keys=1 if busy else 2, lease_ms=2_000, window=1.0, poll_seconds=0.25 if busy else 0.1,
        think_seconds=0.03 if busy else 0.2, operations=6 if busy else 4, writes=0.05,
        read_kinds=("get", "no-cache") if busy else ("get",), echoes=0.7 if busy else 0.0,
        faults=["truncate", "truncate", *(["evict"] * rng.choice((0, 2, 4)))],
    )  # fmt: skip


def _given_up(plan: Plan, rng: Random) -> None:
    """A type is given up again and again, while rows of it are on their way to the cache and changes to the relay."""
    slow = {(_LOAD, _REPLY): Slow(0.5, 0.5), (_GRANT, _REQUEST): Slow(0.3, 0.4), (_APPLY, _REQUEST): Slow(0.3, 0.2)}
    writes_through = rng.random() < 0.4
    policy = replace(
        plan.policy, strategy=Strategy.WRITE_THROUGH if writes_through else Strategy.CACHE_ASIDE,
        ttl_seconds=rng.choice((0.4, 30.0)), negative_ttl_seconds=30.0, stale_if_error_seconds=0.0,
    )  # fmt: skip
    _calm(
        plan, rng, slow, policy=policy, keys=2, replicas=2, clients=4, operations=10, think_seconds=0.04, writes=0.25,
        lease_ms=rng.choice((300, 2_000)), poll_seconds=0.1, echo_seconds=0.05,
        faults=["give up type"] * rng.choice((2, 4, 6)) + ["plain sql"] * rng.choice((0, 2)),
    )  # fmt: skip


def _late_copies(plan: Plan, rng: Random) -> None:
    """Connections break for their clients, who ask again on others, and what was sent first arrives all the same."""
    writes_through = rng.random() < 0.3
    policy = replace(
        plan.policy, strategy=Strategy.WRITE_THROUGH if writes_through else Strategy.CACHE_ASIDE, ttl_seconds=30.0,
        negative_ttl_seconds=30.0, stale_if_error_seconds=0.0,
    )  # fmt: skip
    _calm(
        plan, rng, {(_LOAD, _REPLY): Slow(0.4, 0.3)} if rng.random() < 0.5 else {},
        policy=policy, replicas=2, clients=4, operations=10, think_seconds=0.05, writes=0.3,
        lease_ms=rng.choice((100, 300)), faults=["evict"] * rng.choice((0, 2, 4)), echo_seconds=0.02,
    )  # fmt: skip
    plan.weather.strays = {_LEASE: Slow(0.6, 0.5), _FILL: Slow(0.4, 0.5)}


def _refreshes(plan: Plan, rng: Random) -> None:
    """Short lives, early refreshes whose loads are slow, and writes meanwhile."""
    policy = replace(
        plan.policy, ttl_seconds=0.4, negative_ttl_seconds=0.4, early_refresh_beta=1.0, stale_if_error_seconds=0.0
    )
    _calm(
        plan, rng, {(_LOAD, _REPLY): Slow(0.6, 0.25), (_APPLY, _REQUEST): Slow(0.2, 0.1)},
        policy=policy, operations=12, think_seconds=0.08, writes=0.3, lease_ms=300, echo_seconds=0.1,
    )  # fmt: skip


def _late_applies(plan: Plan, rng: Random) -> None:
    """Writes with their bodies reach the cache late, and out of order, while readers hold leases."""
    policy = replace(
        plan.policy, strategy=Strategy.WRITE_THROUGH, ttl_seconds=30.0, negative_ttl_seconds=30.0,
        stale_if_error_seconds=0.0,
    )  # fmt: skip
    slow = {(_APPLY, _REQUEST): Slow(0.5, 0.18), (_LOAD, _REPLY): Slow(0.6, 0.4), (_FILL, _REQUEST): Slow(0.3, 0.15)}
    _calm(
        plan, rng, slow,
        policy=policy, replicas=rng.choice((2, 3)), clients=5, operations=8, think_seconds=0.02, writes=0.5,
        lease_ms=300, faults=["evict"] * rng.choice((2, 4, 6)), window=0.8, echo_seconds=0.02,
    )  # fmt: skip


def _late_truths(plan: Plan, rng: Random) -> None:
    """Writes reach the cache late, when a TRUNCATE has taken them away and readers have found that."""
    policy = replace(
        plan.policy, strategy=Strategy.WRITE_THROUGH, ttl_seconds=30.0, negative_ttl_seconds=30.0,
        stale_if_error_seconds=0.0,
    )  # fmt: skip
    _calm(
        plan, rng, {(_APPLY, _REQUEST): Slow(0.6, 0.2)},
        policy=policy, replicas=2, clients=5, operations=8, think_seconds=0.02, writes=0.4, lease_ms=300,
        faults=["truncate"] * rng.choice((2, 3, 4)), window=0.8, echo_seconds=0.02,
    )  # fmt: skip


def _slow_answers(plan: Plan, rng: Random) -> None:
    """What is asked of the cache, or answered to readers, takes long to arrive, while many ask for one key."""
    writes_through = rng.random() < 0.5
    slow = {("MGET", _REPLY): Slow(0.6, 0.15), (_LOAD, _REPLY): Slow(0.5, 0.3)}
    policy = replace(
        plan.policy, strategy=Strategy.WRITE_THROUGH if writes_through else Strategy.CACHE_ASIDE, ttl_seconds=30.0,
        negative_ttl_seconds=30.0, stale_if_error_seconds=0.0,
    )  # fmt: skip
    _calm(
        plan, rng, {(_LEASE, _REQUEST): Slow(0.6, 0.18)} if writes_through else slow,
        policy=policy, replicas=2, clients=6, operations=6, think_seconds=0.02, window=0.6, echo_seconds=0.02,
        writes=0.6 if writes_through else 0.25, echoes=0.2 if writes_through else 0.7,
        faults=["evict"] * (10 if writes_through else rng.choice((0, 3))),
    )  # fmt: skip


def _failovers(plan: Plan, rng: Random) -> None:
    """Another server takes over the address, leaders change, and connections to Redis break."""
    _calm(
        plan, rng, {("GET", _REQUEST): Slow(0.7, breaks=True), (_NOTE, _REPLY): Slow(0.7, 0.4)},
        fails_over=True, window=2.0, operations=14, clients=4, stays=True, think_seconds=0.08, echo_seconds=0.02,
        faults=["fail over", "fail over", *(["terminate backend"] * rng.choice((5, 10)))],
    )  # fmt: skip


def _vanishing_leaders(plan: Plan, rng: Random) -> None:
    """Hosts die without a goodbye while they take over the leadership."""
    _calm(
        plan, rng, {(LEADS, _REPLY): Slow(0.8, 0.9), (_IDLE, _REQUEST): Slow(0.3, 0.3)},
        begins_at_once=True, window=1.5, think_seconds=0.2, operations=4, goodbyes=0.0,
        faults=["crash"] * rng.choice((2, 3, 4)), echoes=0.0,
    )  # fmt: skip


DIRECTED: dict[str, Callable[[Plan, Random], None]] = {
    "restarts": _restarts,
    "outages": _outages,
    "crossed-cuts": _crossed_cuts,
    "late-grants": _late_grants,
    "short-leases": _short_leases,
    "late-fills": _late_fills,
    "given-up": _given_up,
    "late-copies": _late_copies,
    "refreshes": _refreshes,
    "late-applies": _late_applies,
    "late-truths": _late_truths,
    "slow-answers": _slow_answers,
    "failovers": _failovers,
    "vanishing-leaders": _vanishing_leaders,
}


def plan_of(theme: str, rng: Random) -> Plan:
    """What a seed of a theme is about. The swarm draws nothing more than it did before there were others."""
    plan = make_plan(rng)
    if theme != SWARM:
        DIRECTED[theme](plan, rng)
    return plan
