"""One look at one key as it lies in Redis: for people, and without being a use of it."""

from __future__ import annotations

import time
from typing import NamedTuple

from service.cache.keys import HEARTBEAT, cache_key, refresh_key
from service.cache.lane import CacheExchangeError, do_not_touch
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore
from service.errors import CacheUnavailableError

_HEAD_BYTES = 600
"""More than the longest header."""

_LOOK = b"""#!lua flags=no-writes
local head = redis.pcall('GETRANGE', KEYS[2], 0, ARGV[1])
if type(head) ~= 'string' then head = false end
local size = head and redis.call('STRLEN', KEYS[2]) or 0
return { redis.call('EXISTS', KEYS[2]), head, size, redis.call('PTTL', KEYS[2]), redis.call('GET', KEYS[1]),
         redis.call('PTTL', KEYS[3]) }"""


class Look(NamedTuple):
    """``head`` is the beginning of the bytes: the whole header. None where the key is absent, or no string.

    ``expires_in_ms``: None where the key is absent, or stays for ever. ``label``: what readers ask of this name now;
    None where they do not use the cache. ``refresh_in_ms``: how long the claim of an early refresh still holds.
    """

    is_there: bool
    head: bytes | None
    size: int
    expires_in_ms: int | None
    label: bytes | None
    refresh_in_ms: int | None


class Looker:
    """On a connection of its own. Failures are counted, and not told to the breaker."""

    def __init__(self, store: RedisStore, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._lane = store.another_lane()

    async def look(self, name: str) -> Look:
        """May raise CacheUnavailableError."""
        if not self._store.available:
            raise CacheUnavailableError("Redis has not been answering")
        keys = (HEARTBEAT, cache_key(name), refresh_key(name))
        started = time.perf_counter()
        try:
            await do_not_touch(self._lane)
            reply = await self._lane.call("EVAL", _LOOK, len(keys), *keys, _HEAD_BYTES)
        except CacheExchangeError as failure:
            self._recorder.cache_error("explain", failure.kind)
            raise
        self._recorder.cache_call("explain", time.perf_counter() - started)
        exists, head, size, expires_in_ms, heartbeat, refresh_in_ms = reply
        is_vouched = self._store.vouched(heartbeat, self._lane) is not None
        return Look(
            is_there=bool(exists),
            head=head if exists else None,
            size=size,
            expires_in_ms=expires_in_ms if expires_in_ms >= 0 else None,
            label=self._store.generation_of(name) if is_vouched else None,
            refresh_in_ms=refresh_in_ms if refresh_in_ms >= 0 else None,
        )
