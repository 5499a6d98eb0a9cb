"""What the cache holds for a key, what was read, and what a reader asked for: values only, no behaviour."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

HEADER_MOST = 200
"""Bytes before the body of an entry, its name not counted. Where there are more, a number is too large for a float."""

EARLIEST_MS, END_MS = -62_135_596_800_000, 253_402_300_800_000
"""The years 1 to 9999: no other moment can be told in HTTP."""


class Outcome(StrEnum):
    """How a read was answered: the `outcome` label of `aside_cache_requests_total`."""

    HIT = "hit"
    NEGATIVE_HIT = "negative_hit"
    STALE = "stale"
    MISS = "miss"
    BYPASS = "bypass"
    OFF = "off"

    __hash__ = str.__hash__  # an Enum's own is Python code, and each read looks its outcome up


class Detail(StrEnum):
    """Why a read went the way it did, where the outcome alone does not say."""

    NONE = ""
    CACHE_OFF = "cache-off"
    CACHE_UNREACHABLE = "cache-unreachable"
    LEASE_BUSY = "lease-busy"
    FILL_REFUSED = "fill-refused"
    EXPIRED = "expired"
    REQUESTED = "requested"
    MIN_VERSION = "min-version"
    STALE_IF_ERROR = "stale-if-error"


class Settled(StrEnum):
    """What a write may say of the cache: it knows the write, or it will before it is used again."""

    APPLIED = "applied"
    DEFERRED = "deferred"


class Reading(NamedTuple):
    """One key out of one MGET. ``generation`` is the label that the live heartbeat asks of this name's entries; None
    where the cache must not be used.
    """

    raw: bytes | None
    generation: bytes | None


class Glance(NamedTuple):
    """A look at the cache that found no plain hit. ``reading`` is None where Redis did not answer.

    ``rest`` is what goes on already: the answer of the read that this was the look of.
    """

    reading: Reading | None
    seconds: float
    rest: Awaitable[Answer] | None = None


class Lease(NamedTuple):
    """The right to fill one key. The generation was read with it, hence before any load made under it."""

    token: bytes
    generation: bytes


class Entry(NamedTuple):
    """A cached value, or, where ``body`` is None, the cached knowledge that there is none. Times are Redis's, in ms."""

    version: int
    generation: bytes
    cost_ms: int
    written_at_ms: int
    fresh_until_ms: int
    stale_until_ms: int
    modified_at_ms: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What one reader asks for (`Cache-Control`, `Aside-Min-Version`). The default asks for nothing special."""

    no_cache: bool = False
    only_if_cached: bool = False
    max_age_seconds: float | None = None
    stale_if_error_seconds: float | None = None
    min_version: int = 0


NO_WISH = Wish()


class Answer(NamedTuple):
    """What a reader gets. ``body`` is None where the entity does not exist.

    ``age_ms`` is the time since the value was last known to be true, ``ttl_ms`` what is left of its freshness
    (negative: past it); both 0 where the database answered. ``stored``: the cache now holds this value.
    ``cache_ms`` and ``load_ms`` are the times spent waiting for Redis and for PostgreSQL.
    """

    outcome: Outcome
    version: int
    body: bytes | None
    modified_at_ms: int
    age_ms: int = 0
    ttl_ms: int = 0
    stored: bool = False
    detail: Detail = Detail.NONE
    cache_ms: float = 0.0
    load_ms: float = 0.0
