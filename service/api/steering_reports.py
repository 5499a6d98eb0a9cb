"""What is told of jobs, hot keys and single keys: the members of the answers, with their units."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.cache.policy import Strategy
from service.db.hot_keys import HotKey
from service.domain.job import Job, JobKind, JobOrigin, JobState
from service.services.explaining import Explanation, Verdict


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JobReport(_Model):
    """A long piece of work, kept in PostgreSQL: it survives a restart of whoever does it."""

    id: int
    kind: JobKind
    origin: JobOrigin = Field(description="`request`, or by itself: at a `start`, because the cache was `empty`")
    wanted: dict[str, Any] = Field(description="as it was asked for")
    state: JobState
    progress: dict[str, int] = Field(
        description="`warm`: `rows` looked at, and of them `installed`, `present`, `busy`, `refused`, `absent`; "
        "`purge`: `keys` met, and of them `purged`"
    )
    about: int | None = Field(description="an estimate of how many rows or keys it will be; null where nobody knows")
    error: str | None = Field(description="why it failed, or why it waits to be tried again")
    actor: str | None = Field(description="`Aside-Actor` of who asked")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobList(_Model):
    """The newest first."""

    jobs: list[JobReport]


class Purged(_Model):
    """Of single ids: done at once."""

    purged: int = Field(description="how many were there, leases included; with `dry_run` how many would go")
    dry_run: bool


class HotKeyReport(_Model):
    entity_type: str
    id: str
    reads_per_second: float = Field(description="an estimate, of hits, over the last minutes, all replicas together")


class HotKeyList(_Model):
    """The hottest first."""

    keys: list[HotKeyReport]


class CacheSide(_Model):
    on: bool | None = Field(description="whether readers use the cache now; null where Redis cannot be asked")


class EntryReport(_Model):
    """Times are counted by Redis's clock."""

    kind: Literal["value", "negative"] = Field(description="`negative`: known not to exist")
    version: int
    generation: str = Field(description="its label: which history, which epoch, which epoch of its type")
    load_cost_seconds: float
    written_at: datetime
    age_seconds: float
    fresh_for_seconds: float = Field(description="negative: past its freshness")
    stale_for_seconds: float = Field(description="how long it may still answer if PostgreSQL cannot")
    expires_in_seconds: float | None = Field(description="when Redis will forget it")
    bytes: int


class LeaseReport(_Model):
    token: str = Field(description="names the loader's right to fill")
    floor: int = Field(description="no older version may be filled")
    expires_in_seconds: float | None


class RowReport(_Model):
    version: int
    exists: bool = Field(description="false: a tombstone")
    updated_at: datetime
    ttl_seconds: float | None = Field(description="a lifetime of its own; null: its policy's")


class ChangeReport(_Model):
    version: int
    at: datetime
    applied: bool = Field(description="whether the relay has told every cache that readers trust")


class PolicyInForce(_Model):
    """How entities of this type are cached; see `/v1/cache/policies`."""

    strategy: Strategy
    ttl_seconds: float
    jitter: float
    negative_ttl_seconds: float
    stale_if_error_seconds: float
    early_refresh_beta: float


class ExplanationReport(_Model):
    """One key: what the cache holds, what PostgreSQL says, and what a reader meets."""

    key: str = Field(description="as it is called in Redis")
    verdict: Verdict
    explanation: str
    cache: CacheSide
    entry: EntryReport | None
    lease: LeaseReport | None
    refresh_claimed_for_seconds: float | None = Field(description="null: nobody is refreshing it early")
    row: RowReport | None = Field(description="null where there has never been one, or `row_fault` says why")
    row_fault: str | None
    last_change: ChangeReport | None = Field(description="null where it is longer ago than changes are kept")
    policy: PolicyInForce


def job_report(job: Job) -> JobReport:
    members = {name: getattr(job, name) for name in JobReport.model_fields}
    return JobReport(**members)


def hot_report(keys: list[HotKey]) -> HotKeyList:
    return HotKeyList(
        keys=[
            HotKeyReport(
                entity_type=each.key.entity_type, id=each.key.id, reads_per_second=round(each.reads_per_second, 3)
            )
            for each in keys
        ]
    )


def explanation_report(told: Explanation) -> ExplanationReport:
    look, row = told.look, told.row
    change = None
    if row is not None and row.changed_at is not None:
        change = ChangeReport(version=row.version, at=row.changed_at, applied=row.applied)
    return ExplanationReport(
        key=f"cache:{told.name}",
        verdict=told.verdict,
        explanation=told.words,
        cache=CacheSide(on=None if look is None else look.label is not None),
        entry=_entry(told),
        lease=_lease(told),
        refresh_claimed_for_seconds=_seconds(None if look is None else look.refresh_in_ms),
        row=None
        if row is None
        else RowReport(version=row.version, exists=row.exists, updated_at=row.updated_at, ttl_seconds=row.ttl_seconds),
        row_fault=told.row_fault,
        last_change=change,
        policy=PolicyInForce(**{name: getattr(told.policy, name) for name in PolicyInForce.model_fields}),
    )


def _entry(told: Explanation) -> EntryReport | None:
    entry, look, now_ms = told.entry, told.look, told.now_ms
    if entry is None or look is None:
        return None
    return EntryReport(
        kind="negative" if entry.body is None else "value",
        version=entry.version,
        generation=entry.generation.decode(),
        load_cost_seconds=entry.cost_ms / 1000,
        written_at=datetime.fromtimestamp(entry.written_at_ms / 1000, UTC),
        age_seconds=max(0, now_ms - entry.written_at_ms) / 1000,
        fresh_for_seconds=(entry.fresh_until_ms - now_ms) / 1000,
        stale_for_seconds=max(0, entry.stale_until_ms - max(now_ms, entry.fresh_until_ms)) / 1000,
        expires_in_seconds=_seconds(look.expires_in_ms),
        bytes=look.size,
    )


def _lease(told: Explanation) -> LeaseReport | None:
    if told.lease is None or told.look is None:
        return None
    expires_in = _seconds(told.look.expires_in_ms)
    return LeaseReport(token=told.lease.token, floor=told.lease.floor, expires_in_seconds=expires_in)


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
