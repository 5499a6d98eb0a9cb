"""What the history of a campaign says about each fault: how soon after its end hits came again, and errors ceased."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.chaos.campaign import Episode, Outcome
from tests.chaos.plan import REPLICAS

FAILOVERS = ("kill primary", "sentinel failover")
PAUSE_BEGINS_SECONDS = 2.0
"""Within so long after a failover's begin, its pause begins: a Sentinel that is told to do it takes its time."""
LOOKED_AT_SECONDS = 6.0
ALONE_SECONDS = 0.5


@dataclass(slots=True)
class Recovery:
    """Of one kind of fault. Seconds from its healing; ``alone`` are those around whose end no other one held."""

    count: int = 0
    alone: int = 0
    first_hit: list[float] = field(default_factory=list)
    error_free: list[float] = field(default_factory=list)


def recoveries(outcome: Outcome) -> dict[str, Recovery]:
    found: dict[str, Recovery] = defaultdict(Recovery)
    errors = sorted(outcome.tally.error_at)
    moments = [at for at, _ in errors]
    for episode in outcome.episodes:
        recovery = found[episode.fault.kind]
        recovery.count += 1
        if episode.healed is None or episode.ended is None:
            continue
        until = _undisturbed_until(episode, outcome.episodes)
        if until - episode.healed < ALONE_SECONDS:
            continue
        recovery.alone += 1
        hits = [_first_after(outcome.tally.hit_at[number], episode.healed) for number in _replicas(episode)]
        if None not in hits:
            recovery.first_hit.append(max(hit - episode.healed for hit in hits if hit is not None))
        late = moments[bisect_left(moments, episode.healed) : bisect_left(moments, until)]
        recovery.error_free.append(late[-1] - episode.healed if late else 0.0)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Failover:
    """Another server took the address over. ``seconds`` from the begin (the kill, the command to Sentinel) until any
    replica of the service answered with hits again, ``seconds_of_all`` until each did; None: never. ``alone``: no
    other fault held between the begin and the latter.
    """

    kind: str
    at: float
    seconds: float | None
    seconds_of_all: float | None
    alone: bool


def failovers(outcome: Outcome) -> list[Failover]:
    """In the order of their begins."""
    found = []
    anybodys = sorted(at for hits in outcome.tally.hit_at for at in hits)
    for episode in outcome.episodes:
        if episode.fault.kind not in FAILOVERS:
            continue
        each = [until_hits_again(hits, episode.began) for hits in outcome.tally.hit_at]
        of_all = None if None in each else max(seconds for seconds in each if seconds is not None)
        found.append(
            Failover(
                kind=episode.fault.kind,
                at=episode.began,
                seconds=until_hits_again(anybodys, episode.began),
                seconds_of_all=of_all,
                alone=not any(_overlap(episode, of_all, other) for other in outcome.episodes if other is not episode),
            )
        )
    return found


def until_hits_again(hits: Sequence[float], began: float) -> float | None:
    """Seconds from ``began`` to the end of the longest pause of hits that begins soon after it, or before.

    The first hit after ``began`` would say too little: the server may live for some more moments, and an answer may be
    on its way. None where there is no hit after the pause.
    """
    first, last = max(0, bisect_left(hits, began) - 1), bisect_left(hits, began + PAUSE_BEGINS_SECONDS)
    pauses = list(pairwise(hits[first : last + 1]))
    if not pauses or last == len(hits):
        return None
    _, end = max(pauses, key=lambda pause: pause[1] - max(pause[0], began))
    return end - began


def _overlap(episode: Episode, seconds: float | None, other: Episode) -> bool:
    """Whether another fault held, or had just ended, between the begin and the recovery."""
    until = episode.began + (LOOKED_AT_SECONDS if seconds is None else seconds)
    return other.began < until and (other.healed is None or other.healed > episode.began - ALONE_SECONDS)


def _undisturbed_until(episode: Episode, episodes: list[Episode]) -> float:
    """When the next fault begins; or the moment of healing, where another one held at that time, or just before."""
    assert episode.healed is not None
    assert episode.ended is not None
    until = episode.healed + LOOKED_AT_SECONDS
    for other in episodes:
        if other is episode:
            continue
        if other.began <= episode.healed and (other.healed is None or other.healed > episode.ended - ALONE_SECONDS):
            return episode.healed
        if episode.healed < other.began:
            until = min(until, other.began)
    return until


def _replicas(episode: Episode) -> list[int]:
    """Whom it concerned: one, or all."""
    last = episode.fault.target[-1:]
    return [int(last)] if last.isdigit() else list(range(REPLICAS))


def _first_after(moments: list[float], at: float) -> float | None:
    number = bisect_left(moments, at)
    return moments[number] if number < len(moments) else None


def quantiles(seconds: list[float]) -> dict[str, Any]:
    """In milliseconds."""
    if not seconds:
        return {"n": 0}
    ordered = sorted(seconds)
    points = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
    found: dict[str, Any] = {"n": len(ordered)}
    found |= {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * q))] * 1000, 1) for name, q in points.items()
    }
    return {**found, "max": round(ordered[-1] * 1000, 1)}
