"""The store on a real Redis or Valkey: every operation coalesced, every wait bounded, one breaker for all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from service.cache.batch import Batch
from service.cache.entry import Lease, Reading
from service.cache.keys import HEARTBEAT, cache_key, label_of, refresh_key
from service.cache.lane import CacheExchangeError, Connect, Lane
from service.cache.lease_attempts import LeaseAttempts
from service.cache.pulse import Pulse
from service.cache.recorder import Recorder
from service.cache.store import NO_GENERATION, Applied, Change, Effect, Filled, Install, Leased, Mode
from service.errors import CacheUnavailableError

_MAX_BATCH = 1_024
T = TypeVar("T")
A = TypeVar("A")


class _Wish(NamedTuple):
    name: str
    token: bytes
    for_write: bool


class _Fill(NamedTuple):
    name: str
    token: bytes
    version: int
    install: Install


class _Claim(NamedTuple):
    """Take a key with a token, or remove it."""

    key: str
    token: bytes | None


class RedisStore:
    """See :class:`service.cache.store.Store`.

    ``lanes`` connections for reads and as many for each script; ``fails_over`` where another server may take over
    the address, so that an apply counts only where readers of this very server are vouched for.
    """

    def __init__(
        self, connect: Connect, recorder: Recorder, *, timeout_seconds: float, lease_ms: int, lanes: int,
        fails_over: bool, bound_seconds: float,
    ) -> None:  # fmt: skip
        self._connect = connect
        self._timeout_seconds = timeout_seconds
        self._recorder = recorder
        self._lease_ms = lease_ms
        self._fails_over = fails_over
        self._lanes: list[Lane] = []
        self._generation = NO_GENERATION
        self._history: bytes | None = None
        self.pulse = Pulse(
            Lane(connect, timeout_seconds=timeout_seconds),
            recorder,
            bound_seconds=bound_seconds,
            on_return=self._open_lanes,
            on_silence=self._outdate if fails_over else None,
        )

        def batch(send: Callable[[Lane, list[A]], Awaitable[Sequence[T]]], count: int) -> Batch[A, T]:
            slots = []
            for _ in range(count):
                lane = self.another_lane()
                slots.append(lambda items, lane=lane: send(lane, items))
            return Batch(slots, max_size=_MAX_BATCH)

        self._reads: Batch[str, Reading] = batch(self._send_reads, lanes)
        self._leases: Batch[_Wish, Leased] = batch(self._send_leases, lanes)
        self._fills: Batch[_Fill, Filled] = batch(self._send_fills, lanes)
        self._applies: Batch[Change, Applied] = batch(self._send_applies, lanes)
        self._claims: Batch[_Claim, bool] = batch(self._send_claims, 1)

    def another_lane(self) -> Lane:
        """A connection that is closed, and opened anew after a failover, together with this store's own."""
        lane = Lane(self._connect, timeout_seconds=self._timeout_seconds)
        self._lanes.append(lane)
        return lane

    @property
    def available(self) -> bool:
        return not self.pulse.breaker.is_open

    def expect_history(self, history: str) -> None:
        """Trust only heartbeats of this history of versions: another database might share the Redis by mistake, and
        its entries go by the same names.
        """
        self._history = history.encode()

    def generation_of(self, name: str) -> bytes:
        return label_of(self._generation, name)

    def now_ms(self) -> int:
        return self.pulse.now_ms()

    def read(self, name: str) -> asyncio.Future[Reading]:
        return self._reads.submit(name)

    def look(self, name: str, then: Callable[[Reading | None, BaseException | None], None]) -> None:
        self._reads.notify(name, then)

    def read_many(self, names: Sequence[str]) -> asyncio.Future[list[Reading]]:
        # Handed in within one turn of the loop: they wait together, and so go out together.
        return self._reads.submit_all(names)

    def lease(self, name: str, token: bytes, *, for_write: bool = False) -> asyncio.Future[Leased]:
        return self._leases.submit(_Wish(name, token, for_write))

    def ask_lease(self, name: str, token: bytes, then: Callable[[Leased | None, BaseException | None], None]) -> None:
        self._leases.notify(_Wish(name, token, for_write=False), then)

    def fill(self, name: str, token: bytes, version: int, install: Install) -> asyncio.Future[Filled]:
        return self._fills.submit(_Fill(name, token, version, install))

    def ask_fill(
        self, name: str, token: bytes, version: int, install: Install,
        then: Callable[[Filled | None, BaseException | None], None],
    ) -> None:  # fmt: skip
        self._fills.notify(_Fill(name, token, version, install), then)

    def apply(self, change: Change) -> asyncio.Future[Applied]:
        return self._applies.submit(change)

    async def claim_refresh(self, name: str, token: bytes) -> bool:
        return await self._claims.submit(_Claim(refresh_key(name), token))

    async def release_refresh(self, name: str) -> None:
        await self._claims.submit(_Claim(refresh_key(name), None))

    async def abandon(self, name: str) -> None:
        await self._claims.submit(_Claim(cache_key(name), None))

    async def close(self) -> None:
        await self.pulse.stop()
        for batch in (self._reads, self._leases, self._fills, self._applies, self._claims):
            await batch.close()
        for lane in self._lanes:
            await lane.close()

    async def _open_lanes(self) -> None:
        """Before a crowd comes: opening takes several turns of the loop, and a crowd makes each of them long."""
        await asyncio.gather(*[lane.call("PING") for lane in self._lanes], return_exceptions=True)

    def _outdate(self) -> None:
        for lane in self._lanes:
            lane.outdate()

    # -- one batch each ------------------------------------------------------------------------------------------

    async def _send_reads(self, lane: Lane, names: list[str]) -> list[Reading]:
        *raws, heartbeat = await self._guarded(
            "read", lambda: lane.call("MGET", *[cache_key(name) for name in names], HEARTBEAT)
        )
        generation = self.vouched(heartbeat, lane)
        return readings_of(names, raws, generation)

    async def _send_leases(self, lane: Lane, wishes: list[_Wish]) -> list[Leased]:
        # Readers want the entry that is there already, writers have no use for its bytes.
        answers: dict[_Wish, Leased] = {}
        for purpose in ("read", "write"):
            some = [wish for wish in wishes if wish.for_write is (purpose == "write")]
            if some:
                answers.update(zip(some, await self._lease_some(lane, some, purpose), strict=True))
        return [answers[wish] for wish in wishes]

    async def _lease_some(self, lane: Lane, wishes: list[_Wish], purpose: str) -> list[Leased]:
        keys = [HEARTBEAT, *[cache_key(wish.name) for wish in wishes]]
        attempts = LeaseAttempts(self._lease_ms, purpose, [wish.token for wish in wishes])
        reply = await self._guarded("lease", lambda: lane.script("lease", keys, attempts.first(), again=attempts.again))
        if reply is None:
            self._unvouched(lane)
            return [Leased(None, Reading(None, None))] * len(wishes)
        heartbeat, *found = reply
        generation = self.vouched(heartbeat, lane)
        labels = [None if generation is None else label_of(generation, wish.name) for wish in wishes]
        return [_leased(*each) for each in zip(attempts.tokens, found, labels, strict=True)]

    async def _send_fills(self, lane: Lane, fills: list[_Fill]) -> list[Filled]:
        keys = [HEARTBEAT, *[cache_key(fill.name) for fill in fills]]
        args: list[bytes | int] = []
        for fill in fills:
            args += (fill.token, fill.version, fill.install.stale_until_ms, fill.install.payload)
        heartbeat, *stored = await self._guarded("fill", lambda: lane.script("fill", keys, args))
        counts = self._counts(heartbeat, lane)
        return [Filled(found == 1, counts) for found in stored]

    async def _send_applies(self, lane: Lane, changes: list[Change]) -> list[Applied]:
        keys = [HEARTBEAT, *[cache_key(change.name) for change in changes]]
        args: list[bytes | str | int] = []
        for change in changes:
            mode = Mode.DROP if change.install is None else Mode.RENEW if change.renew else Mode.REPLACE
            install = change.install or Install(b"", 0)
            args += (change.version, change.generation, mode.value, install.stale_until_ms, install.payload)
        heartbeat, *effects = await self._guarded("apply", lambda: lane.script("apply", keys, args))
        counts = self._counts(heartbeat, lane)
        return [Applied(Effect(effect.decode()), counts) for effect in effects]

    async def _send_claims(self, lane: Lane, claims: list[_Claim]) -> list[bool]:
        commands = [self._command(claim) for claim in claims]
        return [reply is not None for reply in await self._guarded("refresh", lambda: lane.calls(commands))]

    def _command(self, claim: _Claim) -> tuple[bytes | str | int, ...]:
        if claim.token is None:
            return ("UNLINK", claim.key)
        return ("SET", claim.key, claim.token, "NX", "PX", self._lease_ms)

    # -- what is common to all -----------------------------------------------------------------------------------

    async def _guarded(self, op: str, exchange: Callable[[], Awaitable[T]]) -> T:
        """The one place where a failure of Redis is judged: counted, told to the breaker, and passed on as one error.

        A refusal (`OOM`, `READONLY`) says that the server is there: it does not open the breaker.
        """
        breaker = self.pulse.breaker
        if breaker.is_open:
            raise CacheUnavailableError("Redis has not been answering")
        started = time.perf_counter()
        try:
            reply = await exchange()
        except CacheExchangeError as failure:
            self._recorder.cache_error(op, failure.kind)
            if failure.kind != "response":
                self.pulse.failed(failure)
            raise
        self._recorder.cache_call(op, time.perf_counter() - started)
        self.pulse.succeeded()
        return reply

    def vouched(self, heartbeat: bytes | None, lane: Lane) -> bytes | None:
        """The generation that a live heartbeat of this very server vouches for, or None: the cache is off."""
        if heartbeat is None:
            self._unvouched(lane)
            return None
        run_id, _, generation = heartbeat.partition(b"|")
        if run_id != lane.run_id:
            lane.outdate()
            return None
        if self._history is not None and generation.partition(b".")[0] != self._history:
            self.pulse.met_foreign_heartbeat()
            return None
        self._generation = generation
        return generation

    def _counts(self, heartbeat: bytes, lane: Lane) -> bool:
        counts = not self._fails_over or heartbeat.partition(b"|")[0] == lane.run_id
        if not counts:
            self._unvouched(lane)
        return counts

    def _unvouched(self, lane: Lane) -> None:
        """Nobody vouches for this lane's server. If the pulse has found another one at the address, so should the lane:
        a former primary that is cut off answers for as long as it lives.
        """
        if self._fails_over and lane.run_id != self.pulse.run_id:
            lane.outdate()


def readings_of(names: Sequence[str], raws: Sequence[bytes | None], generation: bytes | None) -> list[Reading]:
    """What was read of each name, with the label that it must have to count."""
    if generation is None or b" " not in generation:
        return [Reading(raw, generation) for raw in raws]
    return [Reading(raw, label_of(generation, name)) for name, raw in zip(names, raws, strict=True)]


def _leased(token: bytes, found: int | bytes | None, generation: bytes | None) -> Leased:
    if generation is None or found is None:
        return Leased(None, Reading(None, None))
    if found == 1:
        return Leased(Lease(token, generation), Reading(None, generation))
    return Leased(None, Reading(found if isinstance(found, bytes) else None, generation))
