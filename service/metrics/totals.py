"""The numbers that statistics are made of, as plain ones: of this process, or of all workers together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from service.metrics.exposition import collectable

_FAMILIES = (
    "aside_cache_requests",
    "aside_early_refreshes",
    "aside_fills",
    "aside_writes",
    "aside_db_load_batch_size",
    "aside_db_loads_in_flight",
    "aside_db_connections_busy",
    "aside_db_connections_allowed",
    "aside_redis_up",
    "aside_redis_memory_used_bytes",
    "aside_redis_evicted_keys",
    "aside_heartbeat_age_seconds",
    "aside_relay_lag_seconds",
    "aside_audit_checked",
    "aside_audit_stale",
    "aside_audit_suspects",
    "aside_audit_oldest_stale_seconds",
)


class _Some(NamedTuple):
    """Of a histogram: the samples whose ``label`` begins with one of ``beginnings``."""

    label: str
    beginnings: tuple[str, ...]


REQUESTS, CACHE_READS, LOADS = "aside_request_seconds", "aside_cache_seconds", "aside_db_load_seconds"
_HISTOGRAMS = {
    REQUESTS: _Some("route", ("/v1/entities", "/v1/parameters")),  # not what probes and pages ask for
    CACHE_READS: _Some("op", ("read",)),
    LOADS: _Some("", ("",)),
}
_WANTED = frozenset((*_FAMILIES, *_HISTOGRAMS))

Labels = frozenset[tuple[str, str]]


class Totals(dict[tuple[str, Labels], float]):
    """Samples by name and labels; of histograms of times the buckets only, summed up to one label `le`."""

    def of(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels."""
        wanted = labels.items()
        return sum(value for (sample, has), value in self.items() if sample == name and wanted <= has)

    def since(self, before: Totals) -> Totals:
        """What was added. What ``before`` did not know began at 0."""
        return Totals({key: value - before.get(key, 0.0) for key, value in self.items()})

    def buckets(self, histogram: str) -> tuple[list[float], list[float]]:
        """The upper bounds of a histogram's buckets, ascending, and how many observations are not above each."""
        name = f"{histogram}_bucket"
        found = sorted((_bound(has), value) for (sample, has), value in self.items() if sample == name)
        return [bound for bound, _ in found], [value for _, value in found]


ReadTotals = Callable[[], Totals]


def read_totals(registry: CollectorRegistry) -> Totals:
    """The same numbers that a scrape shows at this moment. To be called in a thread of its own."""
    found = Totals()
    for family in collectable(registry).collect():
        if family.name in _WANTED:
            some = _HISTOGRAMS.get(family.name)
            for name, labels, value in _plain(family.samples) if some is None else _buckets(family.samples, some):
                found[name, labels] = found.get((name, labels), 0.0) + value
        # A thread that computes keeps the interpreter for 5 ms; one that sleeps lets the event loop go on at once.
        time.sleep(0)
    return found


def _plain(samples: Iterable[Sample]) -> Iterator[tuple[str, Labels, float]]:
    for sample in samples:
        if not sample.name.endswith("_bucket"):
            yield sample.name, frozenset(sample.labels.items()), sample.value


def _buckets(samples: Iterable[Sample], some: _Some) -> Iterator[tuple[str, Labels, float]]:
    for sample in samples:
        if sample.name.endswith("_bucket") and sample.labels.get(some.label, "").startswith(some.beginnings):
            yield sample.name, frozenset({("le", sample.labels["le"])}), sample.value


def _bound(labels: Labels) -> float:
    [(_, bound)] = labels
    return float(bound)


def labels_of(totals: Iterable[tuple[str, Labels]], label: str) -> list[str]:
    """Every value that a label has, sorted."""
    return sorted({value for _, labels in totals for name, value in labels if name == label})
