"""A store under test, and the way around it to what is really kept: by the test's own socket, or in the dictionary."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from service.cache.codec import encode
from service.cache.entry import Entry
from service.cache.keys import HEARTBEAT, cache_key
from service.cache.lane import connector
from service.cache.redis_store import RedisStore
from service.cache.store import NO_GENERATION, Change, Install, Store
from tests.simulation.direct import DirectRedis, redis_in_memory
from tests.support.memory_server import Foreign, MemoryServer
from tests.support.memory_store import MemoryStore
from tests.support.recording import Recording
from tests.support.valkey_commands import command

LEASE_MS = 5_000
GENERATION = b"g.1"


class Bench(Protocol):
    """``store`` is asked; the rest looks behind its back."""

    store: Store

    def put(self, name: str, value: bytes, *, ttl_ms: int | None = None) -> None: ...

    def put_list(self, name: str) -> None:
        """Somebody else's data, of another type."""

    def get(self, name: str) -> bytes | None: ...

    def exists(self, name: str) -> bool: ...

    def ttl_ms(self, name: str) -> int | None:
        """None where the key is absent or lives for ever."""

    def evict(self, name: str) -> None: ...

    def beat(self, generation: bytes = GENERATION) -> None:
        """A heartbeat that names this very server."""

    def beat_of_another_server(self, generation: bytes = GENERATION) -> None: ...

    def fall_silent(self) -> None: ...

    def failing_over(self) -> Store:
        """A store on the same server that knows it may be replaced."""


class MemoryBench:
    def __init__(self) -> None:
        self.server = MemoryServer(lambda: int(time.time() * 1000))
        self.store: Store = MemoryStore(self.server, lease_ms=LEASE_MS)

    def put(self, name: str, value: bytes, *, ttl_ms: int | None = None) -> None:
        dies_at_ms = None if ttl_ms is None else self.server.now_ms() + ttl_ms
        self.server.set(cache_key(name), value, dies_at_ms=dies_at_ms)

    def put_list(self, name: str) -> None:
        self.server.set(cache_key(name), Foreign())

    def get(self, name: str) -> bytes | None:
        return self.server.get(cache_key(name))

    def exists(self, name: str) -> bool:
        return self.server.kept(cache_key(name)) is not None

    def ttl_ms(self, name: str) -> int | None:
        kept = self.server.kept(cache_key(name))
        return None if kept is None or kept.dies_at_ms is None else kept.dies_at_ms - self.server.now_ms()

    def evict(self, name: str) -> None:
        self.server.unlink(cache_key(name))

    def beat(self, generation: bytes = GENERATION) -> None:
        self.server.beat(generation)

    def beat_of_another_server(self, generation: bytes = GENERATION) -> None:
        self.server.beat(generation, run_id=b"f" * 40)

    def fall_silent(self) -> None:
        self.server.unlink(HEARTBEAT)

    def failing_over(self) -> Store:
        return MemoryStore(self.server, lease_ms=LEASE_MS, fails_over=True)


class SimulatedBench(MemoryBench):
    """The store for Redis on connections to the simulation's server."""

    def __init__(self) -> None:
        self._redis = redis_in_memory()
        self.server = self._redis.memory
        self._opened: list[RedisStore] = []
        self.store: Store = self._open(fails_over=False)

    def _open(self, *, fails_over: bool) -> RedisStore:
        store = RedisStore(
            lambda: DirectRedis(self._redis), Recording(), timeout_seconds=2.0, lease_ms=LEASE_MS, lanes=2,
            fails_over=fails_over, bound_seconds=2.0,
        )  # fmt: skip
        self._opened.append(store)
        return store

    def failing_over(self) -> Store:
        return self._open(fails_over=True)

    async def close(self) -> None:
        for store in self._opened:
            await store.close()


class RealBench:
    """``url`` is of a server that was emptied."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._run_id = run_id_of(url)
        self._opened: list[RedisStore] = []
        self.redis_store = self._open(fails_over=False)
        self.store: Store = self.redis_store

    def _open(self, *, fails_over: bool) -> RedisStore:
        store = redis_store(self._url, fails_over=fails_over)
        self._opened.append(store)
        return store

    async def close(self) -> None:
        for store in self._opened:
            await store.close()

    def put(self, name: str, value: bytes, *, ttl_ms: int | None = None) -> None:
        expiry = [] if ttl_ms is None else ["PX", str(ttl_ms)]
        command(self._url, "SET", cache_key(name), value.decode(), *expiry)

    def put_list(self, name: str) -> None:
        command(self._url, "DEL", cache_key(name))
        command(self._url, "RPUSH", cache_key(name), "theirs")

    def get(self, name: str) -> bytes | None:
        if command(self._url, "TYPE", cache_key(name)) != "string":
            return None
        found = command(self._url, "GET", cache_key(name))
        return None if found is None else found.encode()

    def exists(self, name: str) -> bool:
        return command(self._url, "EXISTS", cache_key(name)) == "1"

    def ttl_ms(self, name: str) -> int | None:
        left = int(command(self._url, "PTTL", cache_key(name)) or 0)
        return left if left >= 0 else None

    def evict(self, name: str) -> None:
        command(self._url, "DEL", cache_key(name))

    def beat(self, generation: bytes = GENERATION) -> None:
        command(self._url, "SET", HEARTBEAT, f"{self._run_id}|{generation.decode()}")

    def beat_of_another_server(self, generation: bytes = GENERATION) -> None:
        command(self._url, "SET", HEARTBEAT, f"{'f' * 40}|{generation.decode()}")

    def fall_silent(self) -> None:
        command(self._url, "DEL", HEARTBEAT)

    def failing_over(self) -> Store:
        return self._open(fails_over=True)


@asynccontextmanager
async def real_bench(url: str) -> AsyncIterator[RealBench]:
    command(url, "FLUSHALL")
    bench = RealBench(url)
    await bench.redis_store.pulse.beat()  # the clock's offset, which a service measures before it serves
    try:
        yield bench
    finally:
        await bench.close()


def redis_store(url: str, *, fails_over: bool = False) -> RedisStore:
    return RedisStore(
        connector(url), Recording(), timeout_seconds=2.0, lease_ms=LEASE_MS, lanes=2, fails_over=fails_over,
        bound_seconds=2.0,
    )  # fmt: skip


def run_id_of(url: str) -> str:
    info = command(url, "INFO", "server") or ""
    return next(line for line in info.splitlines() if line.startswith("run_id:")).partition(":")[2].strip()


def entry(
    name: str, version: int, now_ms: int, *, generation: bytes = GENERATION, body: bytes | None = b'{"a":1}'
) -> Install:
    """An entry that lives for a minute."""
    stale_until_ms = now_ms + 60_000
    made = Entry(version, generation, 3, now_ms, stale_until_ms, stale_until_ms, now_ms, body)
    return Install(encode(made, name), stale_until_ms)


def drop(name: str, version: int, *, generation: bytes = GENERATION) -> Change:
    return Change(name, version, generation)


def dropping_anything(name: str, version: int) -> Change:
    return Change(name, version, NO_GENERATION)
