"""What a batch of writes is made of. Knows no storage and no HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.domain.entity import ALWAYS, EntityKey, WriteCondition


class Verb(StrEnum):
    """What a write does to an entity."""

    PUT = "put"
    PATCH = "patch"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a batch, no other of which has the same key.

    ``document`` is checked JSON: what a put stores, what a patch merges; None for a deletion. Only a put may demand
    that the entity be absent: of the others, none could succeed.
    """

    verb: Verb
    key: EntityKey
    document: str | None = None
    condition: WriteCondition = ALWAYS
    ttl_seconds: float | None = None
