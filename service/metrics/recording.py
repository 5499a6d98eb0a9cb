"""Every metric that Aside exports: names, labels, buckets; and the recorder through which the rest of it tells."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import product
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from service.cache.entry import Outcome
from service.metrics.exposition import multiprocess_directory
from service.metrics.refusals import RefusalCounters
from service.metrics.streams import StreamCounters
from service.metrics.vitals import VitalGauges

OTHER = "other"
"""The label for whatever is not in a bounded set: types without a policy, methods and paths that do not exist."""

MOST_TYPES = 200
"""So many entity types have a label of their own, `other` included: each is ten series."""

METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS")

C = TypeVar("C")

_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


class _Children(dict[str, C]):
    """The children of a metric with one label, those with the expected values from the start: a rate needs its zero."""

    def __init__(self, make: Callable[[str], C], expected: Iterable[str]) -> None:
        super().__init__((label, make(label)) for label in expected)
        self._make = make

    def __missing__(self, label: str) -> C:
        child = self[label] = self._make(label)
        return child


class Metrics:
    """The metrics of one app, and `service.cache.recorder.Recorder` over them.

    ``entity_types`` are those that get a label of their own. Children are looked up once and kept, for `labels()` takes
    a lock and builds strings. Where PROMETHEUS_MULTIPROC_DIR is set, values live in files that all workers share.
    """

    def __init__(
        self, entity_types: Iterable[str] = (), *, version: str = "unknown", bound_seconds: float = 2.0,
        audit_samples_per_second: float = 0.0,
    ) -> None:  # fmt: skip
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter, with nothing in it that a scrape does not know
        self.registry = CollectorRegistry()
        self._define_cache_metrics()
        self._define_database_metrics()
        self._define_background_metrics()
        self._define_audit_metrics()
        self.entity_types((OTHER, *entity_types))
        self._reads_of_others = self._reads[OTHER]
        self._vitals = VitalGauges(
            self.registry, bound_seconds=bound_seconds, audit_samples_per_second=audit_samples_per_second
        )
        self.condition = self._vitals.condition
        self.schema = self._vitals.schema
        self.connections = self._vitals.connections
        self.redis_memory = self._vitals.redis_memory
        refusals = RefusalCounters(self.registry)
        self.shed = refusals.shed
        self.rate_limited = refusals.rate_limited
        streams = StreamCounters(self.registry)
        self.stream_opened = streams.opened
        self.stream_ended = streams.ended
        self._define_build_info(version)
        self._define_request_metrics()
        if multiprocess_directory() is None:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)

    def _define_cache_metrics(self) -> None:
        reads = self._counter("aside_cache_requests", "Reads, by how they were answered", "entity_type", "outcome")
        refreshes = self._counter("aside_early_refreshes", "Entries renewed before they expired", "entity_type")
        self._count_reads, self._count_refreshes = reads, refreshes
        self._reads: dict[str, Mapping[str, Callable[[float], None]]] = {}
        self._refreshes: dict[str, Counter] = {}
        self._cache_errors = self._counter("aside_cache_errors", "Calls that Redis did not answer", "op", "kind")
        seconds = self._histogram("aside_cache_seconds", "Time of a call that Redis answered", "op")
        self._cache_seconds = _Children(
            seconds.labels, ("read", "lease", "fill", "apply", "refresh", "grant", "clock", "audit")
        )
        fills = self._counter("aside_fills", "Attempts to put a loaded value into the cache", "result")
        self._fills = _Children(fills.labels, ("stored", "refused", "failed"))
        self._lease_wait_seconds = self._histogram("aside_lease_wait_seconds", "Time spent waiting for another loader")
        writes = self._counter("aside_writes", "Writes, by how they ended", "result")
        self._writes = _Children(
            writes.labels, ("applied", "deferred", "precondition_failed", "not_found", "failed", "rolled_back")
        )

    def _define_database_metrics(self) -> None:
        self._load_seconds = self._histogram("aside_db_load_seconds", "Time of one batch of loads from PostgreSQL")
        self._load_sizes = Histogram(
            "aside_db_load_batch_size", "Keys per batch of loads", buckets=_BATCH_SIZES, registry=self.registry
        )
        self._loads_in_flight = Gauge(
            "aside_db_loads_in_flight", "Batches under way", registry=self.registry, multiprocess_mode="livesum"
        )

    def _define_background_metrics(self) -> None:
        self._heartbeat_age = Gauge(
            "aside_heartbeat_age_seconds",
            "Age of the cache's heartbeat; infinite where there is none",
            registry=self.registry,
            multiprocess_mode="livemax",  # the worker that sees it worst
        )
        self._relay_lag = Gauge(
            "aside_relay_lag_seconds",
            "Age of the oldest change in the relay's last poll",
            registry=self.registry,
            multiprocess_mode="livemostrecent",  # only the leader tells, and the lead may move
        )
        self._jobs = self._counter("aside_jobs", "Jobs that ended, by how", "kind", "state")
        for kind, state in product(("warm", "purge"), ("done", "failed", "cancelled")):
            self._jobs.labels(kind, state)
        self._foreign_heartbeats = Counter(
            "aside_foreign_heartbeats",
            "Seconds in which the cache was found to belong to another database",
            registry=self.registry,
        )

    def _define_audit_metrics(self) -> None:
        checked = self._counter(
            "aside_audit_checked", "Cached entries held against PostgreSQL", "entity_type", "sample"
        )
        stale = self._counter("aside_audit_stale", "Cached entries proven older than the bound", "entity_type")
        self._count_checked, self._count_stale = checked, stale
        self._audit_checked: dict[str, _Children[Counter]] = {}
        self._audit_stale: dict[str, Counter] = {}
        self._audit_suspects = Counter(
            "aside_audit_suspects", "Entries older than their row, not yet a proof", registry=self.registry
        )
        self._audit_oldest = Gauge(
            "aside_audit_oldest_stale_seconds",
            "How old, at least, the oldest entry was that was ever found stale; 0 where none was",
            registry=self.registry,
            multiprocess_mode="max",  # what a worker found that is gone was found all the same
        )
        self._oldest_seconds = 0.0

    def entity_types(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._reads and len(self._reads) < MOST_TYPES:
                self._refreshes[name] = self._count_refreshes.labels(name)
                self._audit_checked[name] = _Children(partial(self._count_checked.labels, name), ("served", "random"))
                self._audit_stale[name] = self._count_stale.labels(name)
                self._reads[name] = {o: self._count_reads.labels(name, o.value).inc for o in Outcome}

    def _define_build_info(self, version: str) -> None:
        # A gauge, not an Info: that one cannot be shared by several workers.
        build = Gauge(
            "aside_build_info", "Always 1", ("version", "python"), registry=self.registry, multiprocess_mode="max"
        )
        build.labels(version, platform.python_version()).set(1)

    def _define_request_metrics(self) -> None:
        self._request_seconds = self._histogram(
            "aside_request_seconds", "Time of a request, its body included", "method", "route", "status"
        )
        self._requests: dict[tuple[str, str | None, int], Histogram] = {}

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, registry=self.registry)

    def _histogram(self, name: str, documentation: str, *labels: str) -> Histogram:
        return Histogram(name, documentation, labels, registry=self.registry, buckets=_SECONDS)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """After each request. The three labels come out of small sets: methods, route templates, statuses."""
        key = (method if method in METHODS else OTHER, route, status)
        child = self._requests.get(key)
        if child is None:
            child = self._request_seconds.labels(key[0], route or OTHER, str(status))
            self._requests[key] = child
        child.observe(seconds)

    def read(self, entity_type: str, outcome: Outcome, count: int = 1) -> None:
        self._reads.get(entity_type, self._reads_of_others)[outcome](count)

    def cache_call(self, op: str, seconds: float) -> None:
        self._cache_seconds[op].observe(seconds)

    def cache_error(self, op: str, kind: str) -> None:
        self._cache_errors.labels(op, kind).inc()

    def load_started(self, batch_size: int) -> None:
        self._load_sizes.observe(batch_size)
        self._loads_in_flight.inc()

    def load_ended(self, seconds: float) -> None:
        self._loads_in_flight.dec()
        self._load_seconds.observe(seconds)

    def fill(self, result: str) -> None:
        self._fills[result].inc()

    def job(self, kind: str, state: str) -> None:
        self._jobs.labels(kind, state).inc()

    def early_refresh(self, entity_type: str) -> None:
        self._refreshes.get(entity_type, self._refreshes[OTHER]).inc()

    def lease_wait(self, seconds: float) -> None:
        self._lease_wait_seconds.observe(seconds)

    def write(self, result: str) -> None:
        self._writes[result].inc()

    def heartbeat(self, age_seconds: float) -> None:
        self._heartbeat_age.set(age_seconds)

    def foreign_heartbeat(self) -> None:
        self._foreign_heartbeats.inc()

    def relay(self, lag_seconds: float, changes: int) -> None:  # noqa: ARG002, the protocol's
        self._relay_lag.set(lag_seconds)

    def audit_checked(self, entity_type: str, sample: str) -> None:
        self._audit_checked.get(entity_type, self._audit_checked[OTHER])[sample].inc()

    def audit_suspect(self) -> None:
        self._audit_suspects.inc()

    def audit_stale(self, entity_type: str) -> None:
        self._audit_stale.get(entity_type, self._audit_stale[OTHER]).inc()

    def audit_age(self, age_seconds: float) -> None:
        self._oldest_seconds = max(self._oldest_seconds, age_seconds)
        self._audit_oldest.set(self._oldest_seconds)
