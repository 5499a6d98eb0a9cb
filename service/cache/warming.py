"""Fills keys ahead of readers, a page at a time: one *lease* script for the page, and one *fill*.

    warming:   leases the page ── its rows are read, by a statement sent after the lease's answer ── fills the page
    a writer:                        commits 2 ── applies: the lease's floor is 2                       fill 1: refused

What takes a lease away, or raises its floor, is what does so to a reader's. Whoever warms answers nobody, so it repairs
nothing: a refused fill is the end of it. A fill is sent once, and on the connection that its lease was granted on.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from service.cache.keys import HEARTBEAT, cache_key, label_of
from service.cache.lane import CacheExchangeError
from service.cache.lease_attempts import LeaseAttempts
from service.cache.loads import new_token
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore
from service.cache.store import Install
from service.errors import CacheUnavailableError

T = TypeVar("T")

_GRANTED, _BUSY = 1, 0
_NO_HEARTBEAT = "there is no heartbeat in Redis: is a service running on this PostgreSQL and this Redis?"
_FOREIGN_HEARTBEAT = (
    "the heartbeat in Redis is that of another database, or of another Redis: the services on this PostgreSQL "
    "and on this Redis are not the same"
)


@dataclass(frozen=True, slots=True, eq=False)
class PageLease:
    """The right to fill ``names``, of all that were asked for. The others: there already, or somebody loads them.

    One token serves the page: it is new, so each key has been leased under it once at the most.
    """

    token: bytes
    generation: bytes
    names: list[str]
    present: int
    busy: int


class Warmed(NamedTuple):
    """One entry to install, made of a row that was read under the lease."""

    name: str
    version: int
    install: Install


class PageLane:
    """A connection of its own: no reader waits behind a page. Serves one page at a time.

    Failures are counted, and not told to the breaker; while that one is open, nobody is asked. Every method may raise
    CacheUnavailableError, whose text says what is wrong.
    """

    def __init__(self, store: RedisStore, recorder: Recorder, *, lease_ms: int) -> None:
        self._store = store
        self._recorder = recorder
        self._lease_ms = lease_ms
        self._lane = store.another_lane()

    async def check(self) -> None:
        """Raises where no page could be leased now."""
        self._vouched(await self._guarded(lambda: self._lane.call("GET", HEARTBEAT)))

    async def lease(self, names: Sequence[str]) -> PageLease:
        """Lease those keys of the page that are absent. They are different, and of one type.

        The rows may be read once this has returned.
        """
        token = new_token()
        keys = [HEARTBEAT, *map(cache_key, names)]
        attempts = LeaseAttempts(self._lease_ms, "write", [token] * len(names))
        reply = await self._guarded(lambda: self._lane.script("lease", keys, attempts.first(), again=attempts.again))
        heartbeat, *found = reply or [None]  # without a heartbeat it has answered nil, and done nothing
        granted = [name for name, answer in zip(names, found, strict=False) if answer == _GRANTED]
        busy = found.count(_BUSY)
        try:
            generation = self._vouched(heartbeat)
        except CacheUnavailableError:
            await self._unlink(granted)
            raise
        label, present = label_of(generation, names[0]), len(found) - len(granted) - busy
        return PageLease(attempts.tokens[0], label, granted, present, busy)

    async def fill(self, lease: PageLease, entries: Sequence[Warmed]) -> list[bool]:
        """Install what was read under the lease, each key where its lease allows it; says which were stored."""
        keys = [HEARTBEAT, *[cache_key(entry.name) for entry in entries]]
        args: list[bytes | int] = []
        for entry in entries:
            args += (lease.token, entry.version, entry.install.stale_until_ms, entry.install.payload)
        _, *stored = await self._guarded(lambda: self._lane.script("fill", keys, args, once=True))
        return [found == 1 for found in stored]

    async def abandon(self, lease: PageLease) -> None:
        """Let readers load the keys of a page that will not be filled. It may remove more, which is always safe."""
        await self._unlink(lease.names)

    async def _unlink(self, names: Sequence[str]) -> None:
        if names:
            await self._guarded(lambda: self._lane.call("UNLINK", *map(cache_key, names)))

    def _vouched(self, heartbeat: bytes | None) -> bytes:
        generation = self._store.vouched(heartbeat, self._lane)
        if generation is None:
            raise CacheUnavailableError(_NO_HEARTBEAT if heartbeat is None else _FOREIGN_HEARTBEAT)
        return generation

    async def _guarded(self, exchange: Callable[[], Awaitable[T]]) -> Any:
        if not self._store.available:
            raise CacheUnavailableError("Redis has not been answering")
        started = time.perf_counter()
        try:
            reply = await exchange()
        except CacheExchangeError as failure:
            self._recorder.cache_error("warm", failure.kind)
            raise
        self._recorder.cache_call("warm", time.perf_counter() - started)
        return reply
