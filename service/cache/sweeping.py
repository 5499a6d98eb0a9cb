"""Walking through all keys of a Redis, in steps that hold up nobody: what a purge of more than a few names is made of.

SCAN promises that a key which is there from the beginning of the walk to its end is met. That is enough: a lease taken
after the beginning loads after it; one from before is met itself, or as what was filled under it. Keys that come and
go may be met or not, or twice.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from service.cache.keys import HEARTBEAT, cache_key
from service.cache.lane import CacheExchangeError
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore
from service.cache.scripts import SWEEP
from service.errors import CacheUnavailableError

T = TypeVar("T")

STEP = 25
"""Keys that Redis looks for in one step. In a table that has become nearly empty it goes through ten times as many
places, each of which may stand for many in the table before: with 100, a step was seen to take 21 ms of its time.
"""

BEGINNING = b"0"


class Step(NamedTuple):
    """``cursor``: where the next step begins; `BEGINNING` at the end of the walk."""

    keys: list[bytes]
    cursor: bytes


class SweepLane:
    """A connection of its own. Failures are counted, and not told to the breaker; while that one is open, nobody is
    asked. Every method may raise CacheUnavailableError.
    """

    def __init__(self, store: RedisStore, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._lane = store.another_lane()

    async def scan(self, cursor: bytes, prefix: str) -> Step:
        """The keys of one step whose names begin with ``prefix``, which is free of glob characters."""
        command = ("SCAN", cursor, "MATCH", cache_key(prefix) + "*", "COUNT", STEP)
        following, keys = await self._guarded(lambda: self._lane.call(*command))
        return Step(keys, following)

    async def drop(self, keys: Sequence[bytes]) -> int:
        """Remove entries, and leases: whoever loads under one may not fill any more. Returns how many were there."""
        return await self._guarded(lambda: self._lane.call("UNLINK", *keys)) if keys else 0

    async def drop_names(self, names: Sequence[str]) -> int:
        return await self.drop([cache_key(name).encode() for name in names])

    async def count_names(self, names: Sequence[str]) -> int:
        """How many of these are there, be it as a lease."""
        return await self._guarded(lambda: self._lane.call("EXISTS", *map(cache_key, names))) if names else 0

    async def drop_outdated(self, keys: Sequence[bytes]) -> int:
        """Remove what no reader is answered with any more. Returns how many."""
        if not keys:
            return 0
        named = [HEARTBEAT.encode(), *keys]
        dropped: int | None = await self._guarded(lambda: self._lane.call("EVAL", SWEEP, len(named), *named))
        if dropped is None:
            raise CacheUnavailableError("there is no heartbeat, which tells what counts")
        return dropped

    async def label_in_force(self, name: str) -> bytes | None:
        """What readers of this name ask for now; None where they do not use the cache."""
        heartbeat = await self._guarded(lambda: self._lane.call("GET", HEARTBEAT))
        if self._store.vouched(heartbeat, self._lane) is None:
            return None
        return self._store.generation_of(name)

    async def _guarded(self, exchange: Callable[[], Awaitable[T]]) -> Any:
        if not self._store.available:
            raise CacheUnavailableError("Redis has not been answering")
        started = time.perf_counter()
        try:
            reply = await exchange()
        except CacheExchangeError as failure:
            self._recorder.cache_error("purge", failure.kind)
            raise
        self._recorder.cache_call("purge", time.perf_counter() - started)
        return reply
