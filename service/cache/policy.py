"""How entries of one type live: strategy, lifetimes, early refresh. Pure: the time and the draw are arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from service.cache.entry import Entry


class Strategy(StrEnum):
    """What a write does to the cache: drop what it holds, or put the new value in its place."""

    CACHE_ASIDE = "cache_aside"
    WRITE_THROUGH = "write_through"


class Verdict(Enum):
    """What a reader may do with an entry that a live heartbeat vouches for."""

    FRESH = auto()
    REFRESH = auto()
    """Fresh; and this reader was drawn to renew it, in the background."""
    EXPIRED = auto()
    """Past its freshness: load again; the old value answers only if the database cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How one entity type is cached.

    ``jitter`` shortens each lifetime by up to this share, so that what was filled together does not expire together.
    ``stale_if_error_seconds`` is how long past its freshness a value may be served when PostgreSQL cannot answer; 0
    means never. ``early_refresh_beta`` is XFetch's β: 0 switches early refresh off, 1 is the paper's default.
    """

    strategy: Strategy = Strategy.CACHE_ASIDE
    ttl_seconds: float = 300.0
    jitter: float = 0.1
    negative_ttl_seconds: float = 30.0
    stale_if_error_seconds: float = 0.0
    early_refresh_beta: float = 1.0

    def __post_init__(self) -> None:
        if self.ttl_seconds <= 0 or self.negative_ttl_seconds <= 0:
            raise ValueError("lifetimes must be positive")
        if not 0 <= self.jitter <= 0.5:
            raise ValueError("jitter must lie between 0 and 0.5")
        if self.stale_if_error_seconds < 0 or self.early_refresh_beta < 0:
            raise ValueError("stale_if_error_seconds and early_refresh_beta must not be negative")


class Lifetimes(NamedTuple):
    """Two moments on Redis's clock, in ms; ``fresh_until_ms <= stale_until_ms`` always."""

    fresh_until_ms: int
    stale_until_ms: int


def lifetimes(policy: Policy, now_ms: int, draw: float, *, negative: bool, ttl_seconds: float | None) -> Lifetimes:
    """When an entry written now goes stale. ``draw`` is uniform in (0, 1]; ``ttl_seconds`` is the entity's own."""
    wanted = policy.negative_ttl_seconds if negative else ttl_seconds or policy.ttl_seconds
    fresh_ms = max(1, round(wanted * 1000 * (1 - policy.jitter * draw)))
    fresh_until = now_ms + fresh_ms
    return Lifetimes(fresh_until, fresh_until + round(policy.stale_if_error_seconds * 1000))


LONGEST_CERTAIN_LEAD_MS = 1_000
LONGEST_LEAD = 37
"""In units of cost·β: a draw has 53 bits, and ``-ln(2 ** -53)`` is 36.7."""

MIN_REFRESH_COST_MS = 10
"""A load measured in an idle moment says too little about one in a busy moment; below this nothing is believed."""


def certain_lead_ms(entry: Entry) -> int:
    """So long before its end an entry is refreshed whatever the draw: a quarter of its life, within bounds, plus the
    cost of a load. A draw alone comes too late once in a while, and then everybody waits. Who refreshes is decided by
    a lease, so certainty costs hardly a load.
    """
    quarter = (entry.fresh_until_ms - entry.written_at_ms) // 4
    return min(max(quarter, 100), LONGEST_CERTAIN_LEAD_MS) + entry.cost_ms


def judge(entry: Entry, now_ms: int, draw: float, beta: float) -> Verdict:
    """XFetch: refresh when ``now - cost * beta * ln(draw) >= fresh_until``; or at last when little is left. β = 0
    never refreshes early. ``draw`` is uniform in (0, 1], of `random`'s 53 bits: not less than 2 ** -53.

    Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
    """
    left_ms = entry.fresh_until_ms - now_ms
    if left_ms <= 0:
        return Verdict.EXPIRED
    if beta == 0:
        return Verdict.FRESH
    scale_ms = max(entry.cost_ms, MIN_REFRESH_COST_MS) * beta
    if left_ms > LONGEST_LEAD * scale_ms and left_ms > LONGEST_CERTAIN_LEAD_MS + entry.cost_ms:
        return Verdict.FRESH  # whatever the draw
    lead_ms = -scale_ms * math.log(draw)
    return Verdict.REFRESH if left_ms <= max(lead_ms, certain_lead_ms(entry)) else Verdict.FRESH


def may_serve_stale(policy: Policy, entry: Entry, now_ms: int, asked_seconds: float | None) -> bool:
    """Whether an entry nobody can vouch for may answer, because PostgreSQL cannot. The reader may ask for more."""
    allowed_ms = max(policy.stale_if_error_seconds, asked_seconds or 0.0) * 1000
    return allowed_ms > 0 and now_ms < entry.fresh_until_ms + allowed_ms
