"""A recorder that remembers what it was told."""

from __future__ import annotations

from collections.abc import Collection

from service.cache.entry import Outcome


class Recording:
    """See :class:`service.cache.recorder.Recorder`. Each event is its name and what tells it from others."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.batch_sizes: list[int] = []
        self.audit_ages: list[float] = []

    def count(self, *event: str) -> int:
        """How often this happened; a prefix counts all that begin with it."""
        return sum(each[: len(event)] == event for each in self.events)

    def read(self, entity_type: str, outcome: Outcome, count: int = 1) -> None:
        self.events += [("read", entity_type, outcome.value)] * count

    def cache_call(self, op: str, seconds: float) -> None:
        self.events.append(("cache_call", op))

    def cache_error(self, op: str, kind: str) -> None:
        self.events.append(("cache_error", op, kind))

    def load_started(self, batch_size: int) -> None:
        self.batch_sizes.append(batch_size)
        self.events.append(("load_started",))

    def load_ended(self, seconds: float) -> None:
        self.events.append(("load_ended",))

    def fill(self, result: str) -> None:
        self.events.append(("fill", result))

    def job(self, kind: str, state: str) -> None:
        self.events.append(("job", kind, state))

    def early_refresh(self, entity_type: str) -> None:
        self.events.append(("early_refresh", entity_type))

    def lease_wait(self, seconds: float) -> None:
        self.events.append(("lease_wait",))

    def write(self, result: str) -> None:
        self.events.append(("write", result))

    def heartbeat(self, age_seconds: float) -> None:
        self.events.append(("heartbeat", "none" if age_seconds == float("inf") else "seen"))

    def foreign_heartbeat(self) -> None:
        self.events.append(("foreign_heartbeat",))

    def relay(self, lag_seconds: float, changes: int) -> None:
        self.events.append(("relay", str(changes)))

    def audit_checked(self, entity_type: str, sample: str) -> None:
        self.events.append(("audit_checked", entity_type, sample))

    def audit_suspect(self) -> None:
        self.events.append(("audit_suspect",))

    def audit_stale(self, entity_type: str) -> None:
        self.events.append(("audit_stale", entity_type))

    def audit_age(self, age_seconds: float) -> None:
        self.audit_ages.append(age_seconds)

    def condition(self, **holds: bool) -> None:
        self.events.append(("condition", *(f"{name}={so}" for name, so in holds.items())))

    def entity_types(self, names: Collection[str]) -> None:
        self.events.append(("entity_types", *sorted(names)))

    def schema(self, *, is_current: bool) -> None:
        self.events.append(("schema", str(is_current)))

    def connections(self, share: str, busy: int, allowed: int) -> None:
        self.events.append(("connections", share, str(busy), str(allowed)))

    def redis_memory(self, **memory: int) -> None:
        self.events.append(("redis_memory", *memory))
