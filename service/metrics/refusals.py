"""The counters of requests that were refused to protect the others."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

SHED = ("write", "read", "miss", "bulk", "connection")


class RefusalCounters:
    """Each with all its series from the start: a rate needs its zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        shed = Counter(
            "aside_shed", "Requests refused with 503 since there was too much to do", ("class",), registry=registry
        )
        self._shed = {work: shed.labels(work) for work in SHED}
        self._rate_limited = Counter(
            "aside_rate_limited", "Requests refused with 429: the client sent more than it may", registry=registry
        )

    def shed(self, work: str) -> None:
        """``work``: one of `SHED`."""
        self._shed[work].inc()

    def rate_limited(self) -> None:
        self._rate_limited.inc()
