"""What one seed is about: swarm testing. Each seed picks its own few kinds of faults, and its own parameters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import NamedTuple

from service.cache.lane import _SHA
from service.cache.policy import Policy, Strategy
from service.db.sql import sql
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

_SCRIPTS = {name: _SHA[name] for name in ("lease", "fill", "apply", "grant")}
_LOAD = sql("load")
_READER = ("MGET", _SCRIPTS["lease"], _SCRIPTS["fill"], _LOAD)
_WRITER = (_SCRIPTS["apply"], sql("put"))
_RELAY = (_SCRIPTS["grant"], sql("relay_poll"), sql("relay_note"), sql("coverage"))


class Theme(NamedTuple):
    """What a seed is about: which faults it may choose, how many, and whose messages are slow at times."""

    faults: tuple[str, ...]
    most_faults: int
    victims: tuple[bytes | str, ...]


_THEMES = (
    Theme((), 0, _READER + _WRITER),
    Theme((), 0, _READER + _WRITER),
    Theme((), 0, (_SCRIPTS["apply"], _SCRIPTS["lease"], _LOAD)),
    Theme((), 0, (_LOAD, _SCRIPTS["apply"])),
    Theme(("evict", "evict", "flush"), 9, (*_READER, _SCRIPTS["apply"], _SCRIPTS["apply"])),
    Theme(("truncate", "truncate", "plain sql"), 2, (_LOAD,)),
    Theme(("terminate backend", "truncate"), 4, (_SCRIPTS["grant"],)),
    Theme(("evict", "truncate", "plain sql"), 3, _READER),
    Theme(("plain sql", "truncate"), 3, _READER + _RELAY),
    Theme(("terminate backend", "pause", "crash", "truncate", "plain sql"), 4, _RELAY),
    Theme(("cut redis", "crash", "pause"), 3, _WRITER + _RELAY),
    Theme(("restart redis", "plain sql", "evict"), 3, _RELAY + _READER),
    Theme(("fail over", "fail over", "cut redis", "plain sql"), 3, _WRITER + _RELAY),
    Theme(FAULTS, 6, _READER + _WRITER + _RELAY),
    Theme(FAULTS, 3, _READER + _WRITER + _RELAY),
)


@dataclass(slots=True)
class Plan:
    """``window`` (seconds) is the time, after the first heartbeat, in which clients begin and faults strike."""

    replicas: int
    keys: int
    policy: Policy
    weather: Weather
    pg_weather: Weather
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
    begins_at_once: bool
    """Before there is any heartbeat."""
    faults: list[str] = field(default_factory=list)
    moments: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Which part of the window a kind of fault strikes in; the whole of it where nothing is said."""
    write_kinds: tuple[str, ...] = ("put", "put", "put", "match", "delete", "create")
    read_kinds: tuple[str, ...] = (
        "get", "get", "get", "get", "get", "get", "get", "no-cache", "min-version", "get-many",
    )  # fmt: skip
    goodbyes: float = 0.7
    """The share of killed processes whose host lives on and closes their connections."""
    stays: bool = False
    """Each client keeps to one replica, as long as that lives."""
    echoes: float = 0.0
    """The share of answers after which somebody else reads that key at another replica..."""
    echo_seconds: float = 0.0
    """... within this time."""


def make_plan(rng: Random) -> Plan:
    choice, chance = rng.choice, rng.random
    theme = choice(_THEMES)
    delay = choice((0.001, 0.003, 0.01, 0.03))
    weather = Weather(
        delay=delay,
        slow_chance=choice((0.0, 0.0, 0.02, 0.1)),
        slow_delay=choice((delay * 10, 0.15, 0.9)),
        reset_chance=choice((0.0, 0.0, 0.0, 0.01, 0.04)),
        victim=choice(theme.victims) if chance() < 0.6 else None,
        victim_delay=choice((delay * 5, delay * 20, 0.15, 0.6)),
        victim_replies=chance() < 0.5,
    )
    pg_weather = replace(weather, delay=min(0.03, delay * choice((0.2, 1.0, 4.0))))
    is_long = chance() < (0.5 if theme.most_faults else 0.1)
    plan = Plan(
        replicas=choice((2, 2, 2, 2, 2, 2, 2, 3)),
        keys=choice((1, 1, 1, 2)),
        policy=Policy(
            strategy=choice((Strategy.CACHE_ASIDE, Strategy.WRITE_THROUGH)),
            ttl_seconds=choice((0.12, 0.4, 30.0, 30.0)),
            negative_ttl_seconds=choice((0.3, 30.0)),
            jitter=0.1,
            stale_if_error_seconds=choice((0.0, 0.0, 0.0, 3.0)),
            early_refresh_beta=choice((0.0, 1.0, 1.0)),
        ),
        weather=weather,
        pg_weather=pg_weather,
        fails_over="fail over" in theme.faults and chance() < 0.7,
        poll_seconds=choice((0.1, 0.25, 0.25, 0.25)),
        page_size=choice((1, 100, 100)),
        lease_ms=choice((100, 300, 2_000)),
        load_connections=choice((1, 2)),
        commit_seconds=choice((0.0005, 0.01, 0.05)),
        window=choice((0.6, 1.2)) if is_long else delay * choice((4, 12)),
        think_seconds=choice((0.1, 0.3)) if is_long else delay * choice((0.0, 2.0)),
        clients=choice((2, 3, 4)),
        operations=choice((3, 4, 5)),
        writes=choice((0.15, 0.3, 0.5)),
        cancels=choice((0.0, 0.0, 0.1)),
        rows_at_first=chance() < 0.6,
        begins_at_once=chance() < (0.4 if "cut redis" in theme.faults else 0.1),
    )
    kinds = [kind for kind in theme.faults if kind != "fail over" or plan.fails_over]
    if kinds:
        plan.faults += [choice(kinds) for _ in range(1 + int(chance() * theme.most_faults))]
    return plan
