"""The cache store over a dictionary: the same contract as the one on Redis, with switches for what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from service.cache.entry import Lease, Reading
from service.cache.keys import HEARTBEAT, cache_key, label_of, refresh_key
from service.cache.store import NO_GENERATION, Applied, Change, Effect, Filled, Install, Leased
from service.errors import CacheUnavailableError
from tests.support.looking import call_back
from tests.support.memory_server import MemoryServer


class MemoryStore:
    """See :class:`service.cache.store.Store`.

    ``reachable`` False: every call fails. ``available`` False: the breaker is open. ``lost`` names the calls that fail
    although the others succeed. ``before`` runs before each call, with its name: where a test puts a race.
    """

    def __init__(self, server: MemoryServer, *, lease_ms: int = 5_000, fails_over: bool = False) -> None:
        self.server = server
        self.available = True
        self._generation = NO_GENERATION
        self.reachable = True
        self.lost: set[str] = set()
        self.calls: list[str] = []
        self.before: Callable[[str], None] | None = None
        self.hold: asyncio.Event | None = None
        self._lease_ms = lease_ms
        self._fails_over = fails_over

    def know(self, generation: bytes) -> None:
        """As if a heartbeat of this generation had been seen."""
        self._generation = generation

    def generation_of(self, name: str) -> bytes:
        return label_of(self._generation, name)

    def now_ms(self) -> int:
        return self.server.now_ms()

    async def read(self, name: str) -> Reading:
        await self._called("read")
        return Reading(self.server.get(cache_key(name)), self._label(name))

    def look(self, name: str, then: Callable[[Reading | None, BaseException | None], None]) -> None:
        call_back(self.read(name), then)

    async def read_many(self, names: Sequence[str]) -> list[Reading]:
        return [await self.read(name) for name in names]

    async def lease(self, name: str, token: bytes, *, for_write: bool = False) -> Leased:
        await self._called("lease")
        if self.server.get(HEARTBEAT) is None:
            return Leased(None, Reading(None, None))
        found = self.server.lease(name, token, "write" if for_write else "read", self._lease_ms)
        generation = self._label(name)
        if generation is None:
            return Leased(None, Reading(None, None))
        if found == 1:
            return Leased(Lease(token, generation), Reading(None, generation))
        return Leased(None, Reading(found if isinstance(found, bytes) else None, generation))

    def ask_lease(self, name: str, token: bytes, then: Callable[[Leased | None, BaseException | None], None]) -> None:
        call_back(self.lease(name, token), then)

    async def fill(self, name: str, token: bytes, version: int, install: Install) -> Filled:
        await self._called("fill")
        stored = self.server.fill(name, token, version, install.payload, install.stale_until_ms)
        return Filled(stored, self._counts())

    def ask_fill(
        self, name: str, token: bytes, version: int, install: Install,
        then: Callable[[Filled | None, BaseException | None], None],
    ) -> None:  # fmt: skip
        call_back(self.fill(name, token, version, install), then)

    async def apply(self, change: Change) -> Applied:
        await self._called("apply")
        effect: Effect = self.server.apply(change)
        return Applied(effect, self._counts())

    async def claim_refresh(self, name: str, token: bytes) -> bool:
        await self._called("claim_refresh")
        key = refresh_key(name)
        if self.server.kept(key) is not None:
            return False
        self.server.set(key, token, dies_at_ms=self.now_ms() + self._lease_ms)
        return True

    async def release_refresh(self, name: str) -> None:
        await self._called("release_refresh")
        self.server.unlink(refresh_key(name))

    async def abandon(self, name: str) -> None:
        await self._called("abandon")
        self.server.unlink(cache_key(name))

    async def _called(self, call: str) -> None:
        if not self.available:
            raise CacheUnavailableError("the breaker is open")
        self.calls.append(call)
        if self.hold is not None:
            await self.hold.wait()
        await asyncio.sleep(0)
        if self.before is not None:
            self.before(call)
        if not self.reachable or call in self.lost:
            raise CacheUnavailableError("a test took it away")

    def _label(self, name: str) -> bytes | None:
        generation = self._vouched()
        return None if generation is None else label_of(generation, name)

    def _vouched(self) -> bytes | None:
        run_id, _, generation = (self.server.get(HEARTBEAT) or b"").partition(b"|")
        if run_id != self.server.run_id:
            return None
        self._generation = generation
        return generation

    def _counts(self) -> bool:
        heartbeat = self.server.get(HEARTBEAT) or b""
        return not self._fails_over or heartbeat.partition(b"|")[0] == self.server.run_id
