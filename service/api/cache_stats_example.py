"""An example of `GET /v1/cache/stats`, made by the code that makes the answers: it cannot say what they would not."""

from __future__ import annotations

from typing import Any

from service.api.cache_report import report
from service.cache.entry import Outcome
from service.cache.probe import Memory
from service.metrics.statistics import Counts
from service.metrics.totals import CACHE_READS, LOADS, REQUESTS, Labels, Totals
from service.metrics.windows import Window
from service.services.cache_state import DatabaseSeen, Seen

_READS = {"hit": 9_120, "negative_hit": 310, "stale": 0, "miss": 560, "bypass": 8, "off": 2}


def example() -> dict[str, Any]:
    """A replica that has run for twenty minutes under a steady load, beside a Redis that somebody should look after.
    Nothing in it is null: FastAPI would leave that out.
    """
    since_start = counted_totals()
    return report(
        Counts(
            since_start=Window(1_203.4, since_start),
            last_minute=Window(62.1, _share(since_start, 20)),
            last_15_minutes=Window(903.1, _share(since_start, 2)),
        ),
        Seen(
            is_on=True,
            state="ok",
            since_seconds=1_202.2,
            heartbeat_age_seconds=0.12,
            relay="leading",
            audit="running",
            bound_seconds=2.0,
            memory=Memory(used_bytes=12_582_912, limit_bytes=67_108_864, policy="noeviction", evicted_keys=0),
            database=DatabaseSeen(available=True, away_seconds=0.0),
        ),
    ).model_dump()


def counted_totals() -> Totals:
    """What such a replica has counted."""
    by_label = {
        "aside_fills_total": ("result", {"stored": 552, "refused": 6, "failed": 0}),
        "aside_writes_total": ("result", {"applied": 640, "deferred": 1}),
    }
    totals = Totals()
    for outcome in Outcome:
        totals["aside_cache_requests_total", _labels(entity_type="parameter", outcome=outcome)] = _READS[outcome]
    for name, (label, values) in by_label.items():
        totals.update({(name, _labels(**{label: each})): float(value) for each, value in values.items()})
    for histogram, fast, slow in ((REQUESTS, 9_870, 130), (CACHE_READS, 9_421, 7), (LOADS, 402, 29)):
        for bound, counted in (("0.0005", fast // 2), ("0.001", fast), ("0.005", fast + slow), ("+Inf", fast + slow)):
            totals[f"{histogram}_bucket", _labels(le=bound)] = counted
    totals["aside_relay_lag_seconds", _labels()] = 0.031
    totals["aside_db_loads_in_flight", _labels()] = 1
    for share, busy, allowed in (("load", 1, 3), ("write", 0, 8), ("browse", 0, 3), ("spare", 0, 4), ("relay", 1, 1)):
        totals["aside_db_connections_busy", _labels(share=share)] = busy
        totals["aside_db_connections_allowed", _labels(share=share)] = allowed
    totals["aside_redis_up", _labels()] = 1
    totals["aside_redis_memory_used_bytes", _labels()] = 12_582_912
    totals["aside_db_load_batch_size_count", _labels()] = 431
    totals["aside_db_load_batch_size_sum", _labels()] = 570
    totals["aside_early_refreshes_total", _labels(entity_type="parameter")] = 41
    for sample, checked in (("served", 2_105), ("random", 2_105)):
        totals["aside_audit_checked_total", _labels(entity_type="parameter", sample=sample)] = checked
    totals["aside_audit_suspects_total", _labels()] = 3
    return totals


def _share(totals: Totals, divisor: int) -> Totals:
    return Totals({key: value // divisor for key, value in totals.items()})


def _labels(**labels: str) -> Labels:
    return frozenset((name, str(value)) for name, value in labels.items())
