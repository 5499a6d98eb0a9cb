"""A long piece of work on the cache, as it is asked for and as it goes on: it outlives the process that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobKind(StrEnum):
    WARM = "warm"
    PURGE = "purge"


class JobOrigin(StrEnum):
    """Why there is a job."""

    REQUEST = "request"
    START = "start"
    """A replica was started that warms then."""
    EMPTY = "empty"
    """The cache was found empty: flushed, restarted without its data, failed over to an empty server."""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return self in {JobState.QUEUED, JobState.RUNNING}


def types_of_job(wanted: Mapping[str, Any]) -> list[str]:
    """Of which types a job touches entries, as it was asked for; `*`: of any."""
    if "entity_type" in wanted:
        return [str(wanted["entity_type"])]
    return [str(entity_type) for entity_type in wanted.get("entity_types", ())] or ["*"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``wanted`` is as it was asked for, ``progress`` counts by name, ``about`` an estimate of their sum; ``reached``
    tells whoever goes on with it where. ``error``: why it failed, or why it is waiting to be tried again.
    """

    id: int
    kind: JobKind
    origin: JobOrigin
    wanted: dict[str, Any]
    state: JobState
    progress: dict[str, int]
    reached: dict[str, Any] | None
    about: int | None
    cancel_requested: bool
    error: str | None
    actor: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
