"""How long requests, the cache's answers and database loads took: percentiles out of the counted buckets."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from service.metrics.percentiles import percentile
from service.metrics.statistics import Counts
from service.metrics.totals import CACHE_READS, LOADS, REQUESTS
from service.metrics.windows import Window

_DIGITS = 7


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Percentiles(_Model):
    """What half, 95 and 99 of 100 did not exceed, in seconds; null where nothing was counted. Interpolated inside the
    buckets that `/metrics` shows; 5 stands for 5 or more.
    """

    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None


class PercentileSpans(_Model):
    last_minute: Percentiles
    last_15_minutes: Percentiles
    since_start: Percentiles


class Latency(_Model):
    requests: PercentileSpans = Field(description="every request for entities or parameters, its body included")
    cache_reads: PercentileSpans = Field(description="a batch of reads that Redis answered")
    database_loads: PercentileSpans = Field(description="a batch of loads from PostgreSQL")


def latency_of(counts: Counts) -> Latency:
    """Over all entity types."""
    return Latency(
        requests=_spans(counts, REQUESTS), cache_reads=_spans(counts, CACHE_READS), database_loads=_spans(counts, LOADS)
    )


def _spans(counts: Counts, histogram: str) -> PercentileSpans:
    return PercentileSpans(
        last_minute=_percentiles(counts.last_minute, histogram),
        last_15_minutes=_percentiles(counts.last_15_minutes, histogram),
        since_start=_percentiles(counts.since_start, histogram),
    )


def _percentiles(window: Window, histogram: str) -> Percentiles:
    bounds, counted = window.added.buckets(histogram)
    p50, p95, p99 = (rounded(percentile(share, bounds, counted)) for share in (0.5, 0.95, 0.99))
    return Percentiles(p50_seconds=p50, p95_seconds=p95, p99_seconds=p99)


def rounded(seconds: float | None) -> float | None:
    """To a tenth of a microsecond."""
    return None if seconds is None else round(seconds, _DIGITS)
