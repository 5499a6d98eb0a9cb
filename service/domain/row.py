"""What the database says of a key: a versioned row, and whether caches may still hold something older."""

from __future__ import annotations

from typing import NamedTuple


class VersionedRow(NamedTuple):
    """A row; or, without a body, that there is none: a tombstone, or, where not even that is left, the version of the
    last TRUNCATE: what it took away had lower ones, what comes later gets a higher one. 0: there was none.
    """

    version: int
    body: bytes | None
    modified_at_ms: int = 0
    ttl_seconds: float | None = None


class Coverage(NamedTuple):
    """What PostgreSQL's ledger says of one version, at one moment after that version was committed or loaded.

    ``covered``: no cache that readers trust can still hold anything older: the relay has applied it, or no heartbeat
    can be alive. Otherwise ``wait_seconds`` is the longest that any heartbeat which may be alive can still live.
    """

    covered: bool
    wait_seconds: float


class Truth(NamedTuple):
    """What PostgreSQL said of one key in one snapshot, without the body.

    ``version`` is 0 where there is no row at all; ``exists`` is False there, and for a tombstone. ``generation`` was
    read with it, or a moment after it: a TRUNCATE that the snapshot has seen has moved it.
    """

    version: int
    exists: bool
    generation: bytes
