"""Counts those who follow the feed of changes, and how they end."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

_REASONS = ("client", "time", "key", "slow", "gone", "stopping", "failed")


class StreamCounters:
    """Defines them; see `service.cache.recorder.Recorder` for when they are told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "aside_streams_open",
            "Clients that follow the feed of changes",
            registry=registry,
            multiprocess_mode="livesum",
        )
        ended = Counter("aside_streams_ended", "Streams that ended, by why", ["reason"], registry=registry)
        self._ended = {reason: ended.labels(reason) for reason in _REASONS}

    def opened(self) -> None:
        self._open.inc()

    def ended(self, reason: str) -> None:
        self._open.dec()
        self._ended[reason].inc()
