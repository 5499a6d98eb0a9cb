"""What the engine and its neighbours tell about themselves; each method says when it is called."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from service.cache.entry import Outcome


class Recorder(Protocol):
    """Called on the hot path: implementations neither block nor raise."""

    def read(self, entity_type: str, outcome: Outcome, count: int = 1) -> None:
        """For each read that got an answer, absent entities included; once for many that were answered alike."""

    def cache_call(self, op: str, seconds: float) -> None:
        """After each batch that Redis answered. ``op``: read, lease, fill, apply, refresh, grant, clock, audit,
        warm, purge.
        """

    def cache_error(self, op: str, kind: str) -> None:
        """After each batch that Redis did not answer. ``kind``: timeout, connection, response. Never a miss."""

    def load_started(self, batch_size: int) -> None:
        """When a batch of keys is sent to PostgreSQL."""

    def load_ended(self, seconds: float) -> None:
        """When that batch came back, or failed."""

    def fill(self, result: str) -> None:
        """After each fill. ``result``: stored, refused, failed."""

    def job(self, kind: str, state: str) -> None:
        """When this process is through with a job. ``state``: done, failed, cancelled."""

    def early_refresh(self, entity_type: str) -> None:
        """When a reader was drawn to refresh, and won the refresh lease."""

    def lease_wait(self, seconds: float) -> None:
        """After a read waited for somebody else's lease, in this process or another."""

    def write(self, result: str) -> None:
        """After each write. ``result``: applied, deferred, precondition_failed, not_found, failed; rolled_back, where
        it was undone with the batch that it stood in, for the sake of another write.
        """

    def heartbeat(self, age_seconds: float) -> None:
        """At each look at the cache's heartbeat by the background pulse; infinite where there is none."""

    def foreign_heartbeat(self) -> None:
        """When a read met the heartbeat of another database; once between two looks by the pulse."""

    def relay(self, lag_seconds: float, changes: int) -> None:
        """After each poll that the relay of this process completed: age of the oldest change in it, and how many."""

    def audit_checked(self, entity_type: str, sample: str) -> None:
        """After each cached entry that the audit has judged. ``sample``: served, random."""

    def audit_suspect(self) -> None:
        """When an entry was older than its row, which proves nothing yet."""

    def audit_stale(self, entity_type: str) -> None:
        """When an entry was proven stale, once for each key and version."""

    def audit_age(self, age_seconds: float) -> None:
        """How old, at least, an entry was that was found stale."""

    def condition(
        self, *, redis_up: bool, cache_on: bool, postgresql_up: bool, relay_leads: bool, audit_runs: bool
    ) -> None:
        """Every second: what holds in this process."""

    def entity_types(self, names: Collection[str]) -> None:
        """Every second: the types that have a policy of their own. Others may come while the process runs."""

    def schema(self, *, is_current: bool) -> None:
        """Every few seconds while PostgreSQL answers."""

    def connections(self, share: str, busy: int, allowed: int) -> None:
        """Every second, of PostgreSQL's connections. ``share``: load, write, browse, spare, relay."""

    def stream_opened(self) -> None:
        """When a client begins to follow the feed of changes."""

    def stream_ended(self, reason: str) -> None:
        """When it ends. ``reason``: client, time, key, slow, gone, stopping, failed."""

    def redis_memory(self, *, used_bytes: int, limit_bytes: int, evicted_keys: int, can_evict: bool) -> None:
        """Every few seconds while Redis answers. ``limit_bytes`` is 0 where it has none."""


class NullRecorder:
    """Tells nobody."""

    def read(self, entity_type: str, outcome: Outcome, count: int = 1) -> None: ...
    def cache_call(self, op: str, seconds: float) -> None: ...
    def cache_error(self, op: str, kind: str) -> None: ...
    def load_started(self, batch_size: int) -> None: ...
    def load_ended(self, seconds: float) -> None: ...
    def fill(self, result: str) -> None: ...
    def job(self, kind: str, state: str) -> None: ...
    def early_refresh(self, entity_type: str) -> None: ...
    def lease_wait(self, seconds: float) -> None: ...
    def write(self, result: str) -> None: ...
    def heartbeat(self, age_seconds: float) -> None: ...
    def foreign_heartbeat(self) -> None: ...
    def relay(self, lag_seconds: float, changes: int) -> None: ...
    def audit_checked(self, entity_type: str, sample: str) -> None: ...
    def audit_suspect(self) -> None: ...
    def audit_stale(self, entity_type: str) -> None: ...
    def audit_age(self, age_seconds: float) -> None: ...
    def condition(
        self, *, redis_up: bool, cache_on: bool, postgresql_up: bool, relay_leads: bool, audit_runs: bool
    ) -> None: ...
    def entity_types(self, names: Collection[str]) -> None: ...
    def schema(self, *, is_current: bool) -> None: ...
    def connections(self, share: str, busy: int, allowed: int) -> None: ...
    def stream_opened(self) -> None: ...
    def stream_ended(self, reason: str) -> None: ...
    def redis_memory(self, *, used_bytes: int, limit_bytes: int, evicted_keys: int, can_evict: bool) -> None: ...
