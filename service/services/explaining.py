"""Explaining one key: what the cache holds, what PostgreSQL says, and what a reader would be answered, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from service.cache.codec import decode, is_lease
from service.cache.entry import Entry
from service.cache.keys import name_of
from service.cache.looking import Look, Looker
from service.cache.policy import Policy
from service.db.explaining import KnownRow, known_row
from service.db.pool import Database
from service.domain.entity import EntityKey
from service.errors import CacheUnavailableError, UnavailableError


class Verdict(StrEnum):
    """What a reader who asks for nothing special meets."""

    FRESH = "fresh"
    EXPIRED = "expired"
    ABSENT = "absent"
    LEASED = "leased"
    OUTDATED = "outdated"
    UNREADABLE = "unreadable"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HeldLease:
    token: str
    floor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``look`` is None where Redis does not tell, ``row`` where there is none or PostgreSQL does not tell: then
    ``row_fault`` says so. ``now_ms`` is Redis's clock, by which the times of ``entry`` count.
    """

    name: str
    verdict: Verdict
    words: str
    look: Look | None
    entry: Entry | None
    lease: HeldLease | None
    row: KnownRow | None
    row_fault: str | None
    policy: Policy
    now_ms: int


class Explaining:
    """Waits for each server once, within the ordinary bounds, and tells as much as can be had."""

    def __init__(
        self, looker: Looker, database: Database, policy_of: Callable[[str], Policy], *, now_ms: Callable[[], int]
    ) -> None:
        self._looker = looker
        self._database = database
        self._policy_of = policy_of
        self._now_ms = now_ms

    async def explain(self, key: EntityKey) -> Explanation:
        name = name_of(*key)
        look, row = await asyncio.gather(self._look(name), self._row(key))
        entry = None if look is None or look.head is None else decode(look.head, name)
        lease = None if look is None or look.head is None else _lease(look.head)
        known, fault = (None, row) if isinstance(row, str) else (row, None)
        now_ms = self._now_ms()
        verdict = _verdict(look, entry, lease, now_ms)
        return Explanation(
            name=name,
            verdict=verdict,
            words=_words(verdict, entry, known, now_ms),
            look=look,
            entry=entry,
            lease=lease,
            row=known,
            row_fault=fault,
            policy=self._policy_of(key.entity_type),
            now_ms=now_ms,
        )

    async def _look(self, name: str) -> Look | None:
        try:
            return await self._looker.look(name)
        except CacheUnavailableError:
            return None

    async def _row(self, key: EntityKey) -> KnownRow | str | None:
        try:
            return await known_row(self._database, key)
        except UnavailableError as error:
            return str(error)


def _lease(head: bytes) -> HeldLease | None:
    if not is_lease(head):
        return None
    _, token, floor, *_ = head.decode(errors="replace").split()
    return HeldLease(token, int(floor))


def _verdict(look: Look | None, entry: Entry | None, lease: HeldLease | None, now_ms: int) -> Verdict:
    if look is None:
        return Verdict.UNKNOWN
    if look.label is None:
        return Verdict.OFF
    if not look.is_there:
        return Verdict.ABSENT
    if lease is not None:
        return Verdict.LEASED
    if entry is None:
        return Verdict.UNREADABLE
    if entry.generation != look.label:
        return Verdict.OUTDATED
    return Verdict.FRESH if now_ms < entry.fresh_until_ms else Verdict.EXPIRED


def _words(verdict: Verdict, entry: Entry | None, row: KnownRow | None, now_ms: int) -> str:
    match verdict:
        case Verdict.FRESH:
            assert entry is not None
            kind = "a hit" if entry.body is not None else "a hit that says there is none"
            left = _span(entry.fresh_until_ms - now_ms)
            return f"{kind}: version {entry.version}, for another {left}{_older(entry, row)}"
        case Verdict.EXPIRED:
            assert entry is not None
            past = _span(now_ms - entry.fresh_until_ms)
            return f"past its freshness since {past}: the next reader renews it; it answers only if PostgreSQL cannot"
        case Verdict.ABSENT:
            return "not cached: the next reader loads it from PostgreSQL and fills the cache"
        case Verdict.LEASED:
            return "being loaded: somebody has the lease, other readers wait for the value a moment"
        case Verdict.OUTDATED:
            return "of before its type, or everything, was given up (purge, TRUNCATE, restore): counts as absent"
        case Verdict.UNREADABLE:
            return "what lies at this key is no entry of this service and this version: counts as absent"
        case Verdict.OFF:
            return "the cache is off, for no heartbeat vouches for it: readers are answered from PostgreSQL"
        case Verdict.UNKNOWN:
            return "Redis cannot be asked: readers are answered from PostgreSQL"


def _older(entry: Entry, row: KnownRow | None) -> str:
    """A row newer than the entry: to be seen for a moment, while the relay carries the change."""
    if row is None or row.version <= entry.version:
        return ""
    return f". PostgreSQL has version {row.version}: the change is on its way, B at the most"


def _span(ms: int) -> str:
    return f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"
