"""What is written down of the world: one operation of a client, one row that PostgreSQL committed, one violation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Kind(IntEnum):
    READ = 0
    WRITE = 1
    DELETE = 2
    REFUSED = 3
    """A condition did not hold: what it was told must be true, and it is nobody's promise to others."""


@dataclass(slots=True, kw_only=True)
class Observation:
    """One answer about one key. Times are monotonic seconds: just before the request was written, just after the
    answer was read.
    """

    kind: Kind
    key: str
    """`entity_type:id`"""
    replica: int
    began: float
    ended: float
    version: int
    """0 where the answer names none: nothing there, or a deletion."""
    body: bytes | None = None
    """The document as it was served, or None (304, 404, 204)."""
    mark: str | None = None
    """What a writer put into the body to know it by, where the whole body was not served alone (batch-read)."""
    outcome: str = ""
    """`hit`, `miss`, `bypass`, `off`, `stale`; "" for writes."""
    expected: int = 0
    """The version in If-Match of a write that was done."""
    min_version: int = 0
    raises: bool = True
    """False for `Prefer: respond-async` with `deferred`: others may see the old value for up to B."""


@dataclass(slots=True, frozen=True)
class Row:
    """One committed state of a key, as PostgreSQL itself noted it in the transaction that made it."""

    version: int
    key: str
    """`*` for a TRUNCATE: absent, for every key."""
    deleted: bool
    digest: str = ""
    """md5 of what is served for it."""
    mark: str = ""


@dataclass(slots=True, frozen=True)
class Violation:
    what: str
    observation: Observation | None
    context: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n    ".join([self.what, *self.context])
