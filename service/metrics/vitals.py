"""The gauges that tell how this process finds its surroundings: PostgreSQL, Redis, the relay, the audit, connections.

Of several workers, the one that sees it worst counts for what must hold in each of them.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

_WORST, _SUM, _LATEST, _SETTING = "livemin", "livesum", "livemostrecent", "livemax"


class VitalGauges:
    """Defines them, and sets them; see `service.cache.recorder.Recorder` for when."""

    def __init__(self, registry: CollectorRegistry, *, bound_seconds: float, audit_samples_per_second: float) -> None:
        self._registry = registry
        self._redis_up = self._gauge("aside_redis_up", "1 while Redis answers this process, else 0", _WORST)
        self._cache_on = self._gauge("aside_cache_on", "1 while Redis answers and has a heartbeat, else 0", _WORST)
        self._postgresql_up = self._gauge("aside_postgresql_up", "1 while PostgreSQL answers, else 0", _WORST)
        self._schema = self._gauge("aside_schema_current", "1 if the schema is as new as this service, else 0", _WORST)
        self._leads = self._gauge("aside_relay_leading", "1 while the relay of this replica leads, else 0", _SUM)
        self._audit = self._gauge("aside_audit_running", "1 while the audit looks at entries, else 0", _WORST)
        self._busy = self._gauge(
            "aside_db_connections_busy", "Connections to PostgreSQL in use, at the last look", _SUM, "share"
        )
        self._allowed = self._gauge("aside_db_connections_allowed", "At most so many of them", _SUM, "share")
        self._used = self._gauge("aside_redis_memory_used_bytes", "Memory in use, when Redis was last asked", _LATEST)
        self._limit = self._gauge("aside_redis_memory_limit_bytes", "Its maxmemory; 0: it has none", _LATEST)
        self._evicted = self._gauge("aside_redis_evicted_keys", "Keys evicted since Redis was started", _LATEST)
        self._can_evict = self._gauge("aside_redis_can_evict", "1 if maxmemory-policy may evict, else 0", _LATEST)
        bound = self._gauge("aside_bound_seconds", "B, the staleness bound, as configured", _SETTING)
        bound.set(bound_seconds)
        samples = self._gauge("aside_audit_samples_per_second", "Of each process, as configured; 0: off", _SETTING)
        samples.set(audit_samples_per_second)

    def _gauge(self, name: str, documentation: str, mode: str, *labels: str) -> Gauge:
        return Gauge(name, documentation, labels, registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]  # one of its Literal

    def condition(
        self, *, redis_up: bool, cache_on: bool, postgresql_up: bool, relay_leads: bool, audit_runs: bool
    ) -> None:
        self._redis_up.set(redis_up)
        self._cache_on.set(cache_on)
        self._postgresql_up.set(postgresql_up)
        self._leads.set(relay_leads)
        self._audit.set(audit_runs)

    def schema(self, *, is_current: bool) -> None:
        self._schema.set(is_current)

    def connections(self, share: str, busy: int, allowed: int) -> None:
        self._busy.labels(share).set(busy)
        self._allowed.labels(share).set(allowed)

    def redis_memory(self, *, used_bytes: int, limit_bytes: int, evicted_keys: int, can_evict: bool) -> None:
        self._used.set(used_bytes)
        self._limit.set(limit_bytes)
        self._evicted.set(evicted_keys)
        self._can_evict.set(can_evict)
