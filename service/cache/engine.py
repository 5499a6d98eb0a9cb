"""The entry protocol, from a reader's and a writer's side. Knows no entities, no SQL, no HTTP.

A read is one MGET when the cache knows the key; everything else is in `missing`. Whatever the path, what is answered
is at least as new as anything that was acknowledged or answered before the read began.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from service.cache.carried import Carrier, Then
from service.cache.codec import decode
from service.cache.entry import NO_WISH, Answer, Detail, Entry, Glance, Lease, Outcome, Reading, Settled, Wish
from service.cache.loads import Draw, Loads, new_token
from service.cache.missing import Missing
from service.cache.plain_hit import plain_hit
from service.cache.policy import Policy, Strategy, Verdict, judge
from service.cache.recorder import Recorder
from service.cache.refreshing import Refresher
from service.cache.settling import Settler
from service.cache.store import NO_GENERATION, Change, Store
from service.cache.tasks import Tasks
from service.cache.visit import Visit, answer_entry, suits
from service.domain.row import VersionedRow
from service.errors import CacheUnavailableError, NotCachedError, UnavailableError


class Intent(NamedTuple):
    """What a writer learned from the cache before its transaction: a lease if it took one, and the generation."""

    lease: Lease | None
    generation: bytes


class Engine:
    """Reads and settles entries by name (`{entity_type}:{id}`) under a policy.

    ``budget_seconds`` is the longest that one read may wait for Redis, all its waits together. ``on_hit`` is told of
    some hits only: it says how many are to pass until it is told again.
    """

    def __init__(
        self, store: Store, *, loads: Loads, settler: Settler, missing: Missing, carrier: Carrier, refresher: Refresher,
        tasks: Tasks, recorder: Recorder, budget_seconds: float, draw: Draw = random.random,
        on_hit: Callable[[str], int] | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._loads = loads
        self._settler = settler
        self._missing = missing
        self._carrier = carrier
        self._refresher = refresher
        self._tasks = tasks
        self._recorder = recorder
        self._budget_seconds = budget_seconds
        self._draw = draw
        self._on_hit = on_hit or _never_again
        self._unnoted_hits = 1

    async def get(self, name: str, policy: Policy, wish: Wish = NO_WISH, glance: Glance | None = None) -> Answer:
        """The newest value, or that there is none. Raises NotCachedError, UnavailableError.

        ``glance`` is what `glance` found for this very read, so that nothing is asked twice.
        """
        if glance is not None and glance.rest is not None:
            answer = await asyncio.shield(glance.rest)
            self._recorder.read(name[: name.index(":")], answer.outcome)
            return answer
        if glance is None and not self._store.available:
            glance = _UNREACHABLE
        if glance is None:
            started = time.perf_counter()
            try:
                reading = await self._store.read(name)
            except CacheUnavailableError:
                glance = Glance(None, time.perf_counter() - started)
            else:
                cache_ms = (time.perf_counter() - started) * 1000
                hit = self._hit(name, policy, wish, reading, now_ms=self._store.now_ms(), cache_ms=cache_ms)
                if hit is not None:
                    self._recorder.read(name[: name.index(":")], hit.outcome)
                    return hit
                glance = Glance(reading, cache_ms / 1000)
        visit = Visit(name=name, policy=policy, wish=wish, left_seconds=self._budget_seconds)
        visit.account(glance.seconds)
        answer = await self._without_hit(visit, glance.reading)
        self._recorder.read(name[: name.index(":")], answer.outcome)
        return answer

    def glance(self, name: str, policy: Policy, then: Then) -> None:
        """A read that asks for nothing special, without a coroutine: ``then`` is called once, in a later turn of the
        loop, with the answer, or why there is none, or with what `get` needs to go on from there.
        """
        if not self._store.available:
            self._carrier.around(name, policy, then)
            return
        started = time.perf_counter()

        def looked(reading: Reading | None, error: BaseException | None) -> None:  # noqa: ARG001, a batch's signature
            hit: Answer | None = None
            seconds = time.perf_counter() - started
            is_carried = False
            try:
                if reading is not None:
                    now_ms = self._store.now_ms()
                    hit = self._hit(name, policy, NO_WISH, reading, now_ms=now_ms, cache_ms=seconds * 1000)
                    if hit is not None:
                        self._recorder.read(name[: name.index(":")], hit.outcome)
                    else:
                        is_carried = self._carrier.miss(name, policy, reading, seconds, then)
            finally:
                if not is_carried:
                    then(Glance(reading, seconds) if hit is None else hit)

        self._store.look(name, looked)

    async def get_many(
        self, names: Sequence[str], policy: Policy, wish: Wish = NO_WISH
    ) -> list[Answer | NotCachedError | UnavailableError]:
        """Different names of one type at once: one MGET for all, one load for those that the cache does not know.

        A name that cannot be answered has its error in its place.
        """
        started = time.perf_counter()
        readings: Sequence[Reading | None]
        try:
            readings = await self._store.read_many(names)
        except CacheUnavailableError:
            readings = [None] * len(names)
        spent = time.perf_counter() - started
        answers: list[Answer | NotCachedError | UnavailableError | None] = [
            *self._hits(names, policy, wish, readings, cache_ms=spent * 1000)
        ]
        missing = [place for place, answer in enumerate(answers) if answer is None]
        if missing:
            found = await asyncio.gather(
                *[self._visit_one_of_many(names[place], policy, wish, readings[place], spent) for place in missing]
            )
            for place, answer in zip(missing, found, strict=True):
                answers[place] = answer
        for outcome, count in Counter([answer[0] for answer in answers if type(answer) is Answer]).items():
            self._recorder.read(names[0][: names[0].index(":")], outcome, count)
        return [answer for answer in answers if answer is not None]

    async def _visit_one_of_many(
        self, name: str, policy: Policy, wish: Wish, reading: Reading | None, spent: float
    ) -> Answer | NotCachedError | UnavailableError:
        visit = Visit(name=name, policy=policy, wish=wish, left_seconds=self._budget_seconds)
        visit.account(spent)
        try:
            return await self._without_hit(visit, reading)
        except (NotCachedError, UnavailableError) as error:
            return error

    def _hit(
        self, name: str, policy: Policy, wish: Wish, reading: Reading, *, now_ms: int, cache_ms: float
    ) -> Answer | None:
        """READ: the one path that matters; no await, no decoding of the body."""
        raw, generation = reading
        if raw is None or generation is None:
            return None
        beta = policy.early_refresh_beta
        answer = plain_hit(raw, name, generation, now_ms, beta, cache_ms) if wish is NO_WISH else None
        if answer is None:
            answer = self._careful_hit(name, policy, wish, reading, now_ms=now_ms, cache_ms=cache_ms)
            if answer is None:
                return None
        self._unnoted_hits -= 1
        if not self._unnoted_hits:
            self._unnoted_hits = self._on_hit(name)
        return answer

    def _hits(
        self, names: Sequence[str], policy: Policy, wish: Wish, readings: Sequence[Reading | None], *, cache_ms: float
    ) -> list[Answer | None]:
        """`_hit`, for many at the price of fewer. A name without a reading has none."""
        now_ms, beta, is_plain = self._store.now_ms(), policy.early_refresh_beta, wish is NO_WISH
        answers: list[Answer | None] = []
        for name, reading in zip(names, readings, strict=True):
            answer = None
            if reading is not None:
                raw, generation = reading
                if is_plain and raw is not None and generation is not None:
                    answer = plain_hit(raw, name, generation, now_ms, beta, cache_ms)
                if answer is None:
                    answer = self._careful_hit(name, policy, wish, reading, now_ms=now_ms, cache_ms=cache_ms)
            answers.append(answer)
            if answer is not None:
                self._unnoted_hits -= 1
                if not self._unnoted_hits:
                    self._unnoted_hits = self._on_hit(name)
        return answers

    def _careful_hit(
        self, name: str, policy: Policy, wish: Wish, reading: Reading, *, now_ms: int, cache_ms: float
    ) -> Answer | None:
        """What is decided about an entry that is no plain hit, or for a reader who asks for more than that."""
        raw, generation = reading
        entry = None if raw is None else decode(raw, name)
        if entry is None or entry.generation != generation:
            return None
        verdict = judge(entry, now_ms, 1.0 - self._draw(), policy.early_refresh_beta)
        if verdict is Verdict.EXPIRED or not suits(entry, wish, now_ms):
            return None
        if verdict is Verdict.REFRESH:
            self._refresher.start(name, policy, entry.generation)
        return answer_entry(entry, now_ms, cache_ms)

    async def _without_hit(self, visit: Visit, reading: Reading | None) -> Answer:
        if reading is None:
            return await self._missing.around(visit, Outcome.OFF, Detail.CACHE_UNREACHABLE)
        if reading.generation is None:
            visit.fallback = self._unvouched(visit.name, reading.raw)
            return await self._missing.around(visit, Outcome.OFF, Detail.CACHE_OFF)
        visit.generation = reading.generation
        if visit.wish.no_cache:
            return await self._missing.around(visit, Outcome.BYPASS, Detail.REQUESTED)
        return await self._missing.resolve(visit, reading)

    def _unvouched(self, name: str, raw: bytes | None) -> Entry | None:
        """What the cache holds while nobody vouches for it: good enough only if PostgreSQL cannot answer."""
        entry = None if raw is None else decode(raw, name)
        known = self._store.generation_of(name)
        return entry if entry is not None and known in (NO_GENERATION, entry.generation) else None

    async def intend(self, name: str, policy: Policy) -> Intent:
        """Before a write's transaction. A write-through takes its lease now: after the commit would be too late, as
        a newer write may have come and gone in between (race R2b).
        """
        generation = self._store.generation_of(name)
        if policy.strategy is Strategy.WRITE_THROUGH and self._store.available:
            try:
                leased = await self._store.lease(name, new_token(), for_write=True)
            except CacheUnavailableError:
                return Intent(None, generation)
            return Intent(leased.lease, leased.reading.generation or generation)
        return Intent(None, generation)

    def withdraw(self, name: str, intent: Intent) -> None:
        """The write did not happen: nobody needs to wait for its lease to expire."""
        if intent.lease is not None:
            self._tasks.start(self._store.abandon(name))

    async def settle(
        self, name: str, policy: Policy, row: VersionedRow, intent: Intent, *, since: float, cost_ms: float, wait: bool
    ) -> Settled:
        """After a commit, before the acknowledgement: the cache learns of the row, or its heartbeat is waited out.

        ``since`` (monotonic seconds) is a moment after the commit. ``wait`` False: one attempt, then say so.
        """
        generation = intent.generation
        if policy.strategy is Strategy.WRITE_THROUGH:
            change = self._loads.change(name, policy, row, generation=generation, cost_ms=cost_ms)
        else:
            change = Change(name, row.version, generation)
        if not self._store.available:
            applied = False
        elif intent.lease is not None and change.install is not None:
            applied = await self._settler.try_fill(change, intent.lease, change.install)
        else:
            applied = await self._settler.try_apply(change)
        if not applied and wait:
            applied = await self._settler.settle(change, since=since)
        return Settled.APPLIED if applied else Settled.DEFERRED


_UNREACHABLE = Glance(None, 0.0)


def _never_again(_: str) -> int:
    return sys.maxsize
