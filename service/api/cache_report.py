"""What `GET /v1/cache/stats` answers: its members with their units, and how they are made of the counters."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from service.api.cache_report_latency import Latency, latency_of
from service.api.cache_report_situation import Notice, situation, warning
from service.cache.entry import Outcome
from service.cache.probe import Memory
from service.domain.nines import nines, statement, upper_bound
from service.metrics.statistics import Counts
from service.metrics.totals import Totals, labels_of
from service.metrics.windows import Window
from service.services.cache_state import Seen

_REQUESTS = "aside_cache_requests_total"
_CHECKED, _STALE = "aside_audit_checked_total", "aside_audit_stale_total"
COVERS = (
    "the counts: this replica, all its workers; `cache`, `redis` and the audit's `state`: as the worker sees them that "
    "answers"
)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requests(_Model):
    """Reads that were answered in a span of time, by how."""

    covers_seconds: float = Field(description="how far this span really reaches back, in seconds")
    hit: int
    negative_hit: int = Field(description="known not to exist")
    stale: int = Field(description="`stale-if-error`: PostgreSQL could not answer")
    miss: int
    bypass: int = Field(description="PostgreSQL was asked for, or another's load took too long")
    off: int = Field(description="the cache could not be used")
    hit_ratio: float | None = Field(
        description="(hit + negative_hit) / all six, in [0, 1]; null where nothing was asked", ge=0, le=1
    )


class RequestSpans(_Model):
    last_minute: Requests
    last_15_minutes: Requests
    since_start: Requests


class AllRequests(_Model):
    all: RequestSpans
    entity_types: dict[str, RequestSpans] = Field(
        description="every type with a policy of its own, and `other` for the rest"
    )


class Work(_Model):
    """What the cache has cost and done since the start; counts."""

    load_batches: int = Field(description="queries for rows")
    loaded_keys: int = Field(description="keys in them")
    fills_stored: int
    fills_refused: int = Field(description="the key was changed while it was loaded")
    fills_failed: int
    early_refreshes: int
    writes_applied: int = Field(description="the cache knew at once")
    writes_deferred: int = Field(description="the cache will know before it is used again")


class Cache(_Model):
    on: bool
    state: str = Field(description="`ok`, or why it is off")
    since_seconds: float = Field(description="how long it has been on, or off, in seconds")
    heartbeat_age_seconds: float | None = Field(description="null where there is no heartbeat")
    relay: str = Field(description="`leading`, `following`, or what is wrong")
    relay_lag_seconds: float = Field(
        description="how old the oldest change in the last poll was, as a worker of this replica has last told; 0: none"
    )


class Connections(_Model):
    busy: int
    allowed: int


class Database(_Model):
    available: bool = Field(description="false from the second failure in a row until PostgreSQL answers again")
    unavailable_seconds: float = Field(description="how long it has not been available; 0 while it is")
    loads_in_flight: int = Field(description="queries for rows under way, of all workers")
    connections: dict[str, Connections] = Field(
        description="in use, by all workers: `load`, `write`, `browse` (lists, histories), `relay`, `spare` (the rest)"
    )


class Checks(_Model):
    checked: int = Field(description="cached entries that were held against PostgreSQL")
    stale: int = Field(description="of them, proven older than B; each key and version once")


class Audit(Checks):
    state: str = Field(description="`running`, `off`, or why it pauses")
    served: int = Field(description="of `checked`: names lately answered as hits")
    random: int = Field(description="of `checked`: keys of Redis at random")
    suspects: int = Field(description="older than their row at first sight; most were just being applied")
    oldest_stale_seconds: float = Field(description="how old, at least, the oldest stale one was; 0 where none was")
    upper_bound: float = Field(description="95 % upper bound of the share that is stale, in [0, 1]")
    nines: int = Field(description="the largest N with `upper_bound` of at most 10^-N")
    statement: str
    entity_types: dict[str, Checks]


class Redis(_Model):
    reachable: bool
    used_bytes: int | None = Field(description="memory; null while Redis is away, as the next three")
    limit_bytes: int | None = Field(description="`maxmemory`; 0: unlimited")
    policy: str | None = Field(description="`maxmemory-policy`")
    evicted_keys: int | None = Field(description="since Redis was started")
    warning: str | None = Field(description="what is wrong with its memory's limits")


class CacheStats(_Model):
    """The cache in numbers. Every `_seconds` is in seconds, every `_bytes` in bytes; all else are counts."""

    covers: str
    bound_seconds: float = Field(description="B, the staleness bound")
    situation: list[Notice] = Field(description="in words, the worst first; never empty", min_length=1)
    cache: Cache
    database: Database
    requests: AllRequests
    latency: Latency
    work: Work
    audit: Audit
    redis: Redis


def report(counts: Counts, seen: Seen) -> CacheStats:
    """Everything, out of one reading of the counters and one look at the cache."""
    totals = counts.since_start.added
    entity_types = labels_of(totals, "entity_type")
    return CacheStats(
        covers=COVERS,
        bound_seconds=seen.bound_seconds,
        situation=situation(counts, seen),
        cache=Cache(
            on=seen.is_on,
            state=seen.state,
            since_seconds=round(seen.since_seconds, 3),
            heartbeat_age_seconds=None if seen.heartbeat_age_seconds is None else round(seen.heartbeat_age_seconds, 3),
            relay=seen.relay,
            relay_lag_seconds=round(totals.of("aside_relay_lag_seconds"), 3),
        ),
        database=_database(totals, seen),
        requests=AllRequests(
            all=_spans(counts),
            entity_types={each: _spans(counts, entity_type=each) for each in entity_types},
        ),
        latency=latency_of(counts),
        work=_work(totals),
        audit=_audit(totals, entity_types, seen),
        redis=_redis(seen.memory),
    )


def _database(totals: Totals, seen: Seen) -> Database:
    return Database(
        available=seen.database.available,
        unavailable_seconds=round(seen.database.away_seconds, 3),
        loads_in_flight=round(totals.of("aside_db_loads_in_flight")),
        connections={
            share: Connections(
                busy=round(totals.of("aside_db_connections_busy", share=share)),
                allowed=round(totals.of("aside_db_connections_allowed", share=share)),
            )
            for share in labels_of(totals, "share")
        },
    )


def _spans(counts: Counts, **labels: str) -> RequestSpans:
    return RequestSpans(
        last_minute=_requests(counts.last_minute, **labels),
        last_15_minutes=_requests(counts.last_15_minutes, **labels),
        since_start=_requests(counts.since_start, **labels),
    )


def _requests(window: Window, **labels: str) -> Requests:
    by_outcome = {each.value: round(window.added.of(_REQUESTS, outcome=each.value, **labels)) for each in Outcome}
    answered, hits = sum(by_outcome.values()), by_outcome["hit"] + by_outcome["negative_hit"]
    ratio = round(hits / answered, 6) if answered else None
    return Requests(covers_seconds=round(window.seconds, 3), **by_outcome, hit_ratio=ratio)


def _work(totals: Totals) -> Work:
    def count(name: str, **labels: str) -> int:
        return round(totals.of(name, **labels))

    return Work(
        load_batches=count("aside_db_load_batch_size_count"),
        loaded_keys=count("aside_db_load_batch_size_sum"),
        fills_stored=count("aside_fills_total", result="stored"),
        fills_refused=count("aside_fills_total", result="refused"),
        fills_failed=count("aside_fills_total", result="failed"),
        early_refreshes=count("aside_early_refreshes_total"),
        writes_applied=count("aside_writes_total", result="applied"),
        writes_deferred=count("aside_writes_total", result="deferred"),
    )


def _audit(totals: Totals, entity_types: Iterable[str], seen: Seen) -> Audit:
    checked, stale = round(totals.of(_CHECKED)), round(totals.of(_STALE))
    return Audit(
        state=seen.audit,
        checked=checked,
        stale=stale,
        served=round(totals.of(_CHECKED, sample="served")),
        random=round(totals.of(_CHECKED, sample="random")),
        suspects=round(totals.of("aside_audit_suspects_total")),
        oldest_stale_seconds=round(totals.of("aside_audit_oldest_stale_seconds"), 3),
        upper_bound=upper_bound(checked, stale),
        nines=nines(checked, stale),
        statement=statement(checked, stale, bound_seconds=seen.bound_seconds),
        entity_types={
            each: Checks(
                checked=round(totals.of(_CHECKED, entity_type=each)), stale=round(totals.of(_STALE, entity_type=each))
            )
            for each in entity_types
        },
    )


def _redis(memory: Memory | None) -> Redis:
    if memory is None:
        return Redis(reachable=False, used_bytes=None, limit_bytes=None, policy=None, evicted_keys=None, warning=None)
    return Redis(
        reachable=True,
        used_bytes=memory.used_bytes,
        limit_bytes=memory.limit_bytes,
        policy=memory.policy,
        evicted_keys=memory.evicted_keys,
        warning=warning(memory),
    )
