"""What an entity is called, and on what conditions it may be written. Knows no storage and no HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

ENTITY_TYPE_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
ENTITY_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,254}$"
PREFIX_PATTERN = r"^(?:[A-Za-z0-9][A-Za-z0-9._~:@-]{0,254})?$"
"""What an id may begin with; nothing is the beginning of all."""


class EntityKey(NamedTuple):
    """The name of an entity. A type has no colon, so `{entity_type}:{id}` splits in one way only."""

    entity_type: str
    id: str


@dataclass(frozen=True, slots=True)
class WriteCondition:
    """What must hold, under the row lock, for a write to happen.

    ``if_match`` is None where the client did not ask; otherwise the entity must exist with one of these versions,
    or with any version where the set is empty (`If-Match: *`). ``must_be_absent`` is `If-None-Match: *`.
    """

    if_match: frozenset[int] | None = None
    must_be_absent: bool = False


ALWAYS = WriteCondition()


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """What a committed write left behind. ``body`` is None for a tombstone; ``created`` where nothing was before."""

    version: int
    body: bytes | None
    modified_at_ms: int
    ttl_seconds: float | None
    created: bool


def http_date_second(at: datetime) -> int:
    """Whole seconds since the epoch: what Last-Modified can tell."""
    return int(at.timestamp())
