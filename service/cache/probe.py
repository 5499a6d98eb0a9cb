"""The audit's own look at Redis, on a connection of its own: what it finds slow or broken harms no reader.

A failure here is counted, and not told to the breaker; while that one is open, nobody is asked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from service.cache.entry import Reading
from service.cache.keys import HEARTBEAT, cache_key
from service.cache.lane import CacheExchangeError, do_not_touch
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore, readings_of
from service.errors import CacheUnavailableError

T = TypeVar("T")

_PREFIX = cache_key("")
_DRAWS_PER_NAME = 4
"""Beside other applications' keys a draw may miss: so many for each name that is wanted, and no more."""

_RANDOM_KEYS = b"""#!lua flags=no-writes
local found = {}
for _ = 1, tonumber(ARGV[2]) do
  local key = redis.call('RANDOMKEY')
  if not key or #found >= tonumber(ARGV[1]) then break end
  if string.sub(key, 1, #ARGV[3]) == ARGV[3] then found[#found + 1] = key end
end
return found"""


class Memory(NamedTuple):
    """What the server says of its memory. ``limit_bytes`` is 0 where it has none; ``policy`` is `maxmemory-policy`."""

    used_bytes: int
    limit_bytes: int
    policy: str
    evicted_keys: int


class Probe:
    """Reads keys as readers do, draws keys at random. Every method may raise CacheUnavailableError."""

    def __init__(self, store: RedisStore, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._lane = store.another_lane()

    async def names(self, count: int) -> list[str]:
        """Up to ``count`` names of cached keys, each key of the whole Redis as likely as any other."""
        draws = (count, _DRAWS_PER_NAME * count, _PREFIX)
        keys: list[bytes] = await self._guarded(lambda: self._lane.call("EVAL", _RANDOM_KEYS, 0, *draws))
        return [key.removeprefix(_PREFIX.encode()).decode(errors="replace") for key in keys]

    async def read(self, names: Sequence[str]) -> list[Reading]:
        """As `RedisStore.read_many`: the entries and the heartbeat in one MGET, with the same judgement of both."""
        keys = [*map(cache_key, names), HEARTBEAT]
        *raws, heartbeat = await self._guarded(lambda: self._read_untouched(keys))
        generation = self._store.vouched(heartbeat, self._lane)
        return readings_of(names, raws, generation)

    async def _read_untouched(self, keys: Sequence[str]) -> Any:
        """To Redis this is no use of the keys: what nobody else reads stays the first to be evicted."""
        await do_not_touch(self._lane)
        return await self._lane.call("MGET", *keys)

    async def memory(self) -> Memory:
        """What `INFO` says, now."""
        reply = await self._guarded(lambda: self._lane.call("INFO", "memory", "stats"))
        text = reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
        found: dict[str, str] = dict(re.findall(r"^(\w+):([^\r\n]*)", text, re.MULTILINE))
        return Memory(
            used_bytes=int(found.get("used_memory", 0)),
            limit_bytes=int(found.get("maxmemory", 0)),
            policy=found.get("maxmemory_policy", "unknown"),
            evicted_keys=int(found.get("evicted_keys", 0)),
        )

    async def _guarded(self, exchange: Callable[[], Awaitable[T]]) -> T:
        if not self._store.available:
            raise CacheUnavailableError("Redis has not been answering")
        started = time.perf_counter()
        try:
            reply = await exchange()
        except CacheExchangeError as failure:
            self._recorder.cache_error("audit", failure.kind)
            raise
        self._recorder.cache_call("audit", time.perf_counter() - started)
        return reply
