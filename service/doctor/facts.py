"""What was seen, before anybody has judged it: values only, each of which may be missing for a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.doctor.finding import Unseen


class Server(NamedTuple):
    """What PostgreSQL says of itself. ``connections`` are those that this role may have at the most."""

    version_num: int
    is_standby: bool
    role: str
    sees_sessions: bool
    fsync: bool
    synchronous_commit: str
    full_page_writes: bool
    replication_role: str
    connections: int
    connections_of_others: int


class Transaction(NamedTuple):
    who: str
    seconds: float


class Trigger(NamedTuple):
    """``what``: table, function and `tgtype`; ``enabled``: `pg_trigger.tgenabled`."""

    what: str
    enabled: str


class Counter(NamedTuple):
    """The sequence of versions, and the newest version that was noted."""

    is_one_by_one: bool
    max_value: int
    last_value: int
    newest: int


class Backlog(NamedTuple):
    change_bytes: int
    about_changes: int
    oldest_seconds: float | None
    tombstones_due: int


class Leadership(NamedTuple):
    """The ledger; ``granted_seconds`` from now, ``leader`` in words, None where nobody holds the lock."""

    run_id: str | None
    bound_seconds: float
    generation: str | None
    granted_seconds: float
    leader: str | None


class History(NamedTuple):
    """``generation`` is what entries are labelled with; ``horizon`` a snapshot (xmin:xmax:…)."""

    generation: str
    horizon: str


class Clock(NamedTuple):
    """How far a server's clock is ahead of this host's, give or take half of the round trip, in seconds."""

    ahead_seconds: float
    uncertain_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What only a schema of ours has to say; ``drift`` in words."""

    drift: Sequence[str] | Unseen
    triggers: Mapping[str, Trigger] | Unseen
    functions: Mapping[str, str] | Unseen
    counter: Counter | Unseen | None
    missing_rights: Sequence[str] | Unseen
    history: History | Unseen
    backlog: Backlog | Unseen
    leadership: Leadership | Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresFacts:
    """``latency_ms`` is the median of several round trips. ``schema`` None: there is none of ours."""

    latency_ms: float
    pids: frozenset[int]
    clock: Clock
    server: Server | Unseen
    transactions: Sequence[Transaction] | Unseen
    revision: str | Unseen | None
    schema: Schema | None


class Heartbeat(NamedTuple):
    """``left_ms`` until it expires."""

    run_id: str
    generation: str
    left_ms: int


class Watermark(NamedTuple):
    generation: str
    horizon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """``database`` is its number, ``info`` all of INFO by name; ``refused`` is what this user may not do."""

    latency_ms: float
    clock: Clock
    database: int
    info: Mapping[str, str] | Unseen
    refused: Sequence[str] | Unseen
    heartbeat: Heartbeat | Unseen | None
    watermark: Watermark | Unseen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """``status`` and ``components`` as /readyz has them; the others as far as they could be had."""

    status: str
    components: Mapping[str, str]
    version: str | None
    bound_seconds: float | None
