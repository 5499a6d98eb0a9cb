"""Says in words how the cache is: what is wrong, since when, and what that means for those who ask. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.cache.probe import Memory
from service.metrics.statistics import Counts
from service.services.cache_state import Seen

Level = Literal["ok", "note", "warning", "trouble"]
_WEIGHT: dict[Level, int] = {"trouble": 0, "warning": 1, "note": 2, "ok": 3}
_NEARLY_FULL = 0.9
_ALLOWED = "aside_db_connections_allowed"


class Notice(BaseModel):
    """Something to know, and how much it matters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Level = Field(description="`trouble`: somebody should act now; `warning`: soon; `note`: good to know")
    text: str


def situation(counts: Counts, seen: Seen) -> list[Notice]:
    """The worst first; never empty: where nothing is wrong, it says so."""
    told = [
        *_postgresql(seen),
        *_cache(seen),
        *_audit(counts, seen),
        *_memory(counts, seen.memory),
        *_busy(counts, seen),
    ]
    if not any(each.level in {"trouble", "warning"} for each in told):
        told.append(Notice(level="ok", text=f"All is well: {_reads(counts)}"))
        # The good news is the headline; what is merely good to know follows.
        return told[::-1]
    return sorted(told, key=lambda each: _WEIGHT[each.level])


def _postgresql(seen: Seen) -> list[Notice]:
    if seen.database.available:
        return []
    text = (
        f"PostgreSQL unreachable for {words_of(seen.database.away_seconds)}: writes get 503, and so do reads, except "
        f"hits in the first {seen.bound_seconds:g} s and old values where a policy allows them (stale-if-error)"
    )
    return [Notice(level="trouble", text=text)]


def _cache(seen: Seen) -> list[Notice]:
    if seen.is_on:
        return []
    cause, _, effect = seen.state.removeprefix("off: ").partition(", ")
    text = f"Cache off for {words_of(seen.since_seconds)}: {cause}"
    if not seen.database.available:
        return [Notice(level="trouble", text=f"{text}; it is vouched for only while PostgreSQL answers")]
    text += f"; {effect}" if effect else ""
    if cause == "no heartbeat" and seen.relay not in {"leading", "following"}:
        text += f" (the relay of this replica: {seen.relay})"
    return [Notice(level="trouble", text=text)]


def _audit(counts: Counts, seen: Seen) -> list[Notice]:
    stale = round(counts.last_15_minutes.added.of("aside_audit_stale_total"))
    told = []
    if stale:
        text = (
            f"The audit found {stale:,} stale in the last 15 minutes: the log names each, `audit_found_a_stale_entry`"
        )
        told.append(Notice(level="trouble", text=text))
    if seen.audit.startswith("paused") and seen.is_on and seen.database.available:
        told.append(Notice(level="note", text=f"The audit has {seen.audit}"))
    return told


def _memory(counts: Counts, memory: Memory | None) -> list[Notice]:
    if memory is None:
        return []
    if memory.limit_bytes == 0:
        return [Notice(level="warning", text=str(warning(memory)))]
    share = memory.used_bytes / memory.limit_bytes
    if memory.policy != "noeviction":
        return []
    level: Level = "trouble" if share >= _NEARLY_FULL else "warning"
    failed = round(counts.last_minute.added.of("aside_fills_total", result="failed"))
    refusals = f"; {failed:,} new entries could not be kept in the last minute" if failed else ""
    return [
        Notice(
            level=level, text=f"Nothing can be evicted: Redis is {100 * share:.0f} % full{refusals}. {warning(memory)}"
        )
    ]


def _busy(counts: Counts, seen: Seen) -> list[Notice]:
    totals, names = counts.since_start.added, {"load": "loads", "write": "writes", "browse": "lists"}
    full = [
        name
        for share, name in names.items()
        if 0 < totals.of(_ALLOWED, share=share) <= totals.of("aside_db_connections_busy", share=share)
    ]
    if not full or not seen.database.available:
        return []
    return [Notice(level="note", text=f"All database connections for {' and '.join(full)} are busy at this moment")]


def warning(memory: Memory) -> str | None:
    """What is wrong with the limits of Redis's memory, and what to set."""
    if memory.limit_bytes == 0:
        return "maxmemory is not set: Redis grows until its host has no memory left. Set it, and allkeys-lfu"
    if memory.policy == "noeviction":
        return "maxmemory-policy is noeviction: a full Redis takes no new entries. Set allkeys-lfu"
    return None


def _reads(counts: Counts) -> str:
    window = counts.last_minute
    reads = window.added.of("aside_cache_requests_total")
    if not reads:
        return "nothing was read in the last minute"
    hits = sum(window.added.of("aside_cache_requests_total", outcome=each) for each in ("hit", "negative_hit"))
    return f"{100 * hits / reads:.1f} % of {_figure(reads / window.seconds)} reads per second out of the cache"


def _figure(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"


def words_of(seconds: float) -> str:
    """A span of time as people say it, with one unit or two."""
    whole = round(seconds)
    for unit, name, smaller, smaller_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= 2 * unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name} {rest} {smaller_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"
