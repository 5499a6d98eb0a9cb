"""MISS, LOAD, FILL and BYPASS: a read that the cache could not answer by itself."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from service.cache.codec import decode
from service.cache.entry import Answer, Detail, Entry, Lease, Outcome, Reading
from service.cache.flight import Flights
from service.cache.loads import Loaded, Loads, new_token
from service.cache.policy import may_serve_stale
from service.cache.recorder import Recorder
from service.cache.refreshing import Refresher
from service.cache.settling import Settler
from service.cache.store import NO_GENERATION, Change, Filled, Install, Store
from service.cache.tasks import Tasks
from service.cache.visit import Visit, answer_entry, suits
from service.domain.absences import PATIENCE_SECONDS, AbsenceBudget
from service.errors import CacheUnavailableError, NotCachedError, OverloadedError, UnavailableError

_FIRST_LOOK_SECONDS = 0.002
_NO_BOUND = 1e12


class Missing:
    """``lease_wait_seconds``: how long a reader waits for what somebody else is loading before it loads as well."""

    def __init__(
        self, store: Store, *, loads: Loads, settler: Settler, refresher: Refresher, tasks: Tasks, recorder: Recorder,
        lease_wait_seconds: float, absences: AbsenceBudget | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._loads = loads
        self._settler = settler
        self._refresher = refresher
        self._tasks = tasks
        self._recorder = recorder
        self._lease_wait_seconds = lease_wait_seconds
        self._flights = Flights()
        self._absences = absences or AbsenceBudget(_NO_BOUND)

    async def resolve(self, visit: Visit, reading: Reading) -> Answer:
        """Answer from the reading if it can, else load it; alone, or after whoever loads it already."""
        return await self._resolve(visit, reading, time.monotonic() + self._lease_wait_seconds)

    async def _resolve(self, visit: Visit, reading: Reading, give_up_at: float) -> Answer:
        try:
            while True:
                found = self._look(visit, reading)
                if isinstance(found, Answer):
                    return found
                if isinstance(found, Detail):
                    return await self.around(visit, Outcome.BYPASS, found)
                if visit.wish.only_if_cached:
                    raise NotCachedError("the cache has no answer to this")
                if found is None and self._flights.is_free(visit.name):
                    give_up_at += await self._wait_for_turn()
                if self._flights.lead(visit.name):
                    answer = await self._tasks.finish(self._lead(visit, found, give_up_at))
                    if answer is not None:
                        return answer
                elif not await self._wait_for_flight(visit, give_up_at):
                    return await self.around(visit, Outcome.BYPASS, Detail.LEASE_BUSY)
                if time.monotonic() >= give_up_at:
                    return await self.around(visit, Outcome.BYPASS, Detail.LEASE_BUSY)
                # Look again: the value may be there by now, and if not, the next to come here leads.
                reading = await visit.spend(self._store.read(visit.name))
                if reading.generation is None:
                    return await self.around(visit, Outcome.OFF, Detail.CACHE_OFF)
        except CacheUnavailableError:
            return await self.around(visit, Outcome.OFF, Detail.CACHE_UNREACHABLE)

    def lead_at_once(self, name: str) -> bool:
        """Become the one who loads a key, if there is nothing to wait for: then the flight has to be ended."""
        return not self._absences.is_spent(time.monotonic()) and self._flights.lead(name)

    def end(self, name: str) -> None:
        """Let the next one lead."""
        self._flights.end(name)

    async def end_without_lease(self, visit: Visit, reading: Reading) -> Answer:
        """The end of a flight that was not given the lease; ``reading`` is what came in its place."""
        give_up_at = time.monotonic() + self._lease_wait_seconds
        try:
            try:
                answer = await self._await_value(visit, reading, give_up_at)
            finally:
                self._flights.end(visit.name)
            if answer is not None:
                return answer
            if time.monotonic() >= give_up_at:
                return await self.around(visit, Outcome.BYPASS, Detail.LEASE_BUSY)
            reading = await visit.spend(self._store.read(visit.name))
        except CacheUnavailableError:
            return await self.around(visit, Outcome.OFF, Detail.CACHE_UNREACHABLE)
        if reading.generation is None:
            return await self.around(visit, Outcome.OFF, Detail.CACHE_OFF)
        return await self._resolve(visit, reading, give_up_at)

    async def end_refused(self, visit: Visit, loaded: Loaded, since: float) -> Answer:
        """The end of a flight whose fill was refused, or not answered."""
        try:
            return await self._refused(visit, loaded, since)
        finally:
            self._flights.end(visit.name)

    async def _wait_for_turn(self) -> float:
        """In a flood of absent keys; otherwise there is nothing to wait for. Returns how many seconds it took.

        Who is refused has waited as well: whoever asks again at once, is slowed down.
        """
        wait = self._absences.wait(time.monotonic())
        if wait != 0:
            await asyncio.sleep(PATIENCE_SECONDS if wait is None else wait)
        if wait is None:
            raise OverloadedError("too many reads find that there is nothing", work="miss")
        return wait

    def _look(self, visit: Visit, reading: Reading) -> Answer | Detail | Entry | None:
        """A hit; or why to go around the cache; or the entry that is past its freshness; or None for nothing."""
        entry = None if reading.raw is None else decode(reading.raw, visit.name)
        if entry is None or reading.generation is None or entry.generation != reading.generation:
            return None
        visit.generation = reading.generation
        now_ms = self._store.now_ms()
        visit.fallback = entry
        if not suits(entry, visit.wish, now_ms):
            return Detail.MIN_VERSION if entry.version < visit.wish.min_version else Detail.REQUESTED
        return answer_entry(entry, now_ms, visit.cache_ms) if now_ms < entry.fresh_until_ms else entry

    async def _wait_for_flight(self, visit: Visit, give_up_at: float) -> bool:
        started = time.perf_counter()
        ended = await self._flights.wait(visit.name, max(0.0, give_up_at - time.monotonic()))
        waited = time.perf_counter() - started
        visit.waited(waited)
        self._recorder.lease_wait(waited)
        return ended

    async def _lead(self, visit: Visit, expired: Entry | None, give_up_at: float) -> Answer | None:
        """This process's one loader of the key. None: another process is loading it, and takes long.

        A task of its own: if its reader is cancelled it still fills, and lets the next one lead.
        """
        try:
            if expired is not None:
                return await self._renew(visit)
            leased = await visit.spend(self._store.lease(visit.name, new_token()))
            if leased.lease is not None:
                visit.generation = leased.lease.generation
                return await self._load_and_fill(visit, leased.lease)
            if leased.reading.generation is None:
                raise CacheUnavailableError("the cache was switched off")
            return await self._await_value(visit, leased.reading, give_up_at)
        finally:
            self._flights.end(visit.name)

    async def _load_and_fill(self, visit: Visit, lease: Lease) -> Answer:
        try:
            loaded = await self._load(visit)
        except UnavailableError:
            self._tasks.start(self._store.abandon(visit.name))  # let the next reader try, not wait for the lease
            raise
        install = self.to_fill(visit, lease, loaded)
        since = time.monotonic()
        filled: Filled | None = None
        with suppress(CacheUnavailableError):
            filled = await visit.spend(self._store.fill(visit.name, lease.token, loaded.row.version, install))
        return self.filled(visit, loaded, filled) or await self._refused(visit, loaded, since)

    def to_fill(self, visit: Visit, lease: Lease, loaded: Loaded) -> Install:
        """What was loaded under a lease, as the entry that it becomes."""
        row = loaded.row
        if row.body is None:
            self._absences.spend(time.monotonic())
        return self._loads.install(visit.name, visit.policy, row, generation=lease.generation, cost_ms=loaded.cost_ms)

    def filled(self, visit: Visit, loaded: Loaded, filled: Filled | None) -> Answer | None:
        """What came of a fill, None where Redis did not say. Returns the answer, if it may be given now."""
        if filled is None:
            self._recorder.fill("failed")
            return None
        self._recorder.fill("stored" if filled.stored else "refused")
        if not (filled.stored and filled.counts):
            return None
        return visit.answer_row(loaded.row, Outcome.MISS, Detail.NONE, stored=True)

    async def _refused(self, visit: Visit, loaded: Loaded, since: float) -> Answer:
        """Something happened to the key while it was loaded, and an older fill may still come (race R8b)."""
        await self._make_safe(visit, self._change(visit, loaded), since)
        return visit.answer_row(loaded.row, Outcome.MISS, Detail.FILL_REFUSED)

    async def _await_value(self, visit: Visit, reading: Reading, give_up_at: float) -> Answer | None:
        """Another process holds the lease: look for its value, less and less often."""
        pause, started = _FIRST_LOOK_SECONDS, time.perf_counter()
        try:
            while True:
                found = self._look(visit, reading)
                if isinstance(found, Answer):
                    return found
                if found is not None or time.monotonic() + pause >= give_up_at:
                    return None
                await asyncio.sleep(pause)
                visit.waited(pause)
                pause *= 1.5
                reading = await visit.spend(self._store.read(visit.name))
                if reading.generation is None or reading.raw is None:  # off, or the lease is gone: start again
                    return None
        finally:
            self._recorder.lease_wait(time.perf_counter() - started)

    async def _renew(self, visit: Visit) -> Answer | None:
        """The entry is past its freshness, yet answers if the database cannot: it is renewed in place, not replaced
        by a lease. Who may do it is decided as for an early refresh.
        """
        if not await visit.spend(self._store.claim_refresh(visit.name, new_token())):
            await asyncio.sleep(_FIRST_LOOK_SECONDS)
            return None
        try:
            row, stored, told = await self._refresher.renew(visit.name, visit.policy, visit.generation, visit=visit)
        except UnavailableError as error:
            return self._stale(visit, error)
        if not told:
            since = time.monotonic()
            change = Change(visit.name, row.version, visit.generation)
            await self._settler.settle(change, since=since)
        return visit.answer_row(row, Outcome.MISS, Detail.EXPIRED, stored=stored)

    async def around(self, visit: Visit, outcome: Outcome, detail: Detail) -> Answer:
        """BYPASS: load, tell the cache what was seen (read-repair, race R8), then answer."""
        if visit.wish.only_if_cached:
            raise NotCachedError("the cache has no answer to this")
        if visit.generation == NO_GENERATION:
            visit.generation = self._store.generation_of(visit.name)
        try:
            loaded = await self._load(visit, with_coverage=not self._store.available)
        except UnavailableError as error:
            return self._stale(visit, error)
        return await self.settled(visit, loaded, outcome, detail)

    async def settled(self, visit: Visit, loaded: Loaded, outcome: Outcome, detail: Detail) -> Answer:
        """What was loaded around the cache, as soon as it may be told."""
        await self._make_safe(visit, self._change(visit, loaded), time.monotonic(), loaded)
        return visit.answer_row(loaded.row, outcome, detail)

    async def _load(self, visit: Visit, *, with_coverage: bool = False) -> Loaded:
        load = self._loads.load_with_coverage if with_coverage else self._loads.load
        loaded = await load(visit.name)
        visit.load_ms += loaded.cost_ms
        return loaded

    def _change(self, visit: Visit, loaded: Loaded) -> Change:
        """What was seen. With its body only where this read has met an entry: a repair installs over nothing else."""
        if visit.fallback is None:
            generation = visit.generation if loaded.row.version else NO_GENERATION
            return Change(visit.name, loaded.row.version, generation)
        return self._loads.change(
            visit.name, visit.policy, loaded.row, generation=visit.generation, cost_ms=loaded.cost_ms
        )

    async def _make_safe(self, visit: Visit, change: Change, since: float, loaded: Loaded | None = None) -> None:
        """Return once nothing older than what was loaded can be answered by any cache."""
        coverage = None if loaded is None else loaded.coverage
        if coverage is None and self._store.available:
            try:
                if (await visit.spend(self._store.apply(change))).counts:
                    return
            except CacheUnavailableError:
                pass
        if coverage is None or not coverage.covered:
            await self._settler.settle(change, since=since, known=coverage)

    def _stale(self, visit: Visit, error: UnavailableError) -> Answer:
        """PostgreSQL cannot answer: the old value may, where the policy or the reader allows it."""
        entry, now_ms = visit.fallback, self._store.now_ms()
        if entry is None or entry.version < visit.wish.min_version:
            raise error
        if not may_serve_stale(visit.policy, entry, now_ms, visit.wish.stale_if_error_seconds):
            raise error
        return visit.answer_stale(entry, now_ms)
