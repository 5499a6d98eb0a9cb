"""What `GET /v1/cache/history` answers: columns for charts, made of the steps that were counted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from service.api.cache_report_latency import rounded
from service.cache.entry import Outcome
from service.metrics.percentiles import percentile
from service.metrics.totals import CACHE_READS, LOADS, REQUESTS
from service.metrics.windows import Stretch

_REQUESTS = "aside_cache_requests_total"
_BUSY = "aside_db_connections_busy"
_HITS = (Outcome.HIT.value, Outcome.NEGATIVE_HIT.value)
_DIGITS = 4

Column = list[float]
Gaps = list[float | None]
"""A column that may have nothing to say."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LatencyColumns(_Model):
    p50: Gaps
    p95: Gaps
    p99: Gaps


class LatencyHistory(_Model):
    requests: LatencyColumns = Field(description="every request for entities or parameters")
    cache_reads: LatencyColumns
    database_loads: LatencyColumns


class CacheHistory(_Model):
    """One item of each list per step, the newest last; null where nothing was counted, or nothing is known."""

    step_seconds: float = Field(description="how long a step is meant to be")
    entity_type: str | None = Field(description="what `requests_per_second`, `hit_ratio`, `early_…`, `audit…` are of")
    times: Column = Field(description="when each step ended, in seconds since 1970-01-01T00:00Z")
    requests_per_second: dict[str, Column] = Field(description="reads, by outcome")
    hit_ratio: Gaps = Field(description="(hit + negative_hit) / all six, in [0, 1]")
    latency_seconds: LatencyHistory
    load_batches_per_second: Column = Field(description="queries for rows")
    loaded_keys_per_second: Column = Field(description="keys in them")
    loads_in_flight: Column = Field(description="queries for rows under way, at the end of the step")
    busy_connections: dict[str, Column] = Field(description="to PostgreSQL, by share, at the end of the step")
    writes_per_second: Column
    early_refreshes_per_second: Column
    relay_lag_seconds: Column
    heartbeat_age_seconds: Gaps = Field(description="of the worker that sees it worst; null: there was no heartbeat")
    redis_used_bytes: Gaps = Field(description="when Redis was last asked, every few seconds; null: it did not answer")
    evicted_keys_per_second: Column
    audit_checked_per_second: Column
    audit_stale_per_second: Column


def history_of(stretch: Stretch, *, step_seconds: float, entity_type: str | None = None) -> CacheHistory:
    """All columns, of one type where one is named. A type without a label of its own was counted among `other`."""
    labels = {} if entity_type is None else {"entity_type": entity_type}
    requests = {each.value: stretch.rates(_REQUESTS, outcome=each.value, **labels) for each in Outcome}
    return CacheHistory(
        step_seconds=step_seconds,
        entity_type=entity_type,
        times=stretch.times,
        requests_per_second={outcome: _plain(column) for outcome, column in requests.items()},
        hit_ratio=_ratios([requests[each] for each in _HITS], list(requests.values())),
        latency_seconds=LatencyHistory(
            requests=_latency(stretch, REQUESTS),
            cache_reads=_latency(stretch, CACHE_READS),
            database_loads=_latency(stretch, LOADS),
        ),
        load_batches_per_second=_plain(stretch.rates("aside_db_load_batch_size_count")),
        loaded_keys_per_second=_plain(stretch.rates("aside_db_load_batch_size_sum")),
        loads_in_flight=_plain(stretch.values("aside_db_loads_in_flight")),
        busy_connections={
            share: _plain(stretch.values(_BUSY, share=share)) for share in stretch.labels(_BUSY, "share")
        },
        writes_per_second=_plain(stretch.rates("aside_writes_total")),
        early_refreshes_per_second=_plain(stretch.rates("aside_early_refreshes_total", **labels)),
        relay_lag_seconds=_plain(stretch.values("aside_relay_lag_seconds")),
        heartbeat_age_seconds=[
            round(age, _DIGITS) if math.isfinite(age) else None for age in stretch.values("aside_heartbeat_age_seconds")
        ],
        redis_used_bytes=[
            used if used and is_up else None
            for used, is_up in zip(
                stretch.values("aside_redis_memory_used_bytes"), stretch.values("aside_redis_up"), strict=True
            )
        ],
        evicted_keys_per_second=_plain(stretch.rates("aside_redis_evicted_keys")),
        audit_checked_per_second=_plain(stretch.rates("aside_audit_checked_total", **labels)),
        audit_stale_per_second=_plain(stretch.rates("aside_audit_stale_total", **labels)),
    )


def _plain(column: Sequence[float]) -> Column:
    return [round(value, _DIGITS) for value in column]


def _ratios(hits: Sequence[Column], all_of_them: Sequence[Column]) -> Gaps:
    sums = zip(map(sum, zip(*hits, strict=True)), map(sum, zip(*all_of_them, strict=True)), strict=True)
    return [round(hit / asked, _DIGITS) if asked else None for hit, asked in sums]


def _latency(stretch: Stretch, histogram: str) -> LatencyColumns:
    name = f"{histogram}_bucket"
    by_bound = sorted((float(le), stretch.rates(name, le=le)) for le in stretch.labels(name, "le"))
    bounds = [bound for bound, _ in by_bound]
    steps = list(zip(*(column for _, column in by_bound), strict=True)) or [()] * len(stretch.times)

    def column(share: float) -> Gaps:
        return [rounded(percentile(share, bounds, step)) for step in steps]

    return LatencyColumns(p50=column(0.5), p95=column(0.95), p99=column(0.99))
