"""One read that was not a plain hit: what it asks for, what it has found, how long it may still wait for Redis."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from service.cache.entry import Answer, Detail, Entry, Outcome, Wish
from service.cache.patience import patiently
from service.cache.policy import Policy
from service.cache.store import NO_GENERATION
from service.domain.row import VersionedRow
from service.errors import CacheUnavailableError

T = TypeVar("T")


@dataclass(slots=True)
class Visit:
    """``left_seconds`` is what remains of the time that this read may spend on Redis, all waits together.

    ``generation`` was learned before any load that this read makes: a label that is too old hides an entry, one that
    is too new would vouch for what a TRUNCATE took away. ``fallback`` answers if PostgreSQL cannot.
    """

    name: str
    policy: Policy
    wish: Wish
    left_seconds: float
    cache_ms: float = 0.0
    load_ms: float = 0.0
    generation: bytes = NO_GENERATION
    fallback: Entry | None = None

    async def spend(self, operation: Awaitable[T]) -> T:
        """Wait for Redis within what is left. Raises CacheUnavailableError when that runs out."""
        started = time.perf_counter()
        try:
            return await patiently(operation, max(0.0, self.left_seconds))
        except TimeoutError as error:
            raise CacheUnavailableError("Redis took longer than a request waits for it") from error
        finally:
            self.account(time.perf_counter() - started)

    def account(self, seconds: float) -> None:
        """Time that Redis took."""
        self.left_seconds -= seconds
        self.waited(seconds)

    def waited(self, seconds: float) -> None:
        """Time spent on somebody else's load: it is PostgreSQL that is waited for, not Redis."""
        self.cache_ms += seconds * 1000

    def answer_row(self, row: VersionedRow, outcome: Outcome, detail: Detail, *, stored: bool = False) -> Answer:
        """What the database said."""
        return Answer(
            outcome=outcome,
            version=row.version,
            body=row.body,
            modified_at_ms=row.modified_at_ms,
            stored=stored,
            detail=detail,
            cache_ms=self.cache_ms,
            load_ms=self.load_ms,
        )

    def answer_stale(self, entry: Entry, now_ms: int) -> Answer:
        """What the cache still has, because the database said nothing."""
        return Answer(
            outcome=Outcome.STALE,
            version=entry.version,
            body=entry.body,
            modified_at_ms=entry.modified_at_ms,
            age_ms=now_ms - entry.written_at_ms,
            ttl_ms=entry.fresh_until_ms - now_ms,
            detail=Detail.STALE_IF_ERROR,
            cache_ms=self.cache_ms,
            load_ms=self.load_ms,
        )


def answer_entry(entry: Entry, now_ms: int, cache_ms: float) -> Answer:
    """A hit. By position: this runs for every one, and names would double its price."""
    return Answer(
        Outcome.HIT if entry.body is not None else Outcome.NEGATIVE_HIT,
        entry.version,
        entry.body,
        entry.modified_at_ms,
        max(0, now_ms - entry.written_at_ms),
        entry.fresh_until_ms - now_ms,
        False,  # noqa: FBT003
        Detail.NONE,
        cache_ms,
    )


def suits(entry: Entry, wish: Wish, now_ms: int) -> bool:
    """Whether an entry is new enough for what the reader asked."""
    if wish.no_cache or entry.version < wish.min_version:
        return False
    return wish.max_age_seconds is None or now_ms - entry.written_at_ms <= wish.max_age_seconds * 1000
