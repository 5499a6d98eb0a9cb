"""Misses that go as they nearly always do, carried by callbacks: lease, load, fill, or the load alone without Redis.

A task, and a future and a timer for each wait, cost as much as all that is exchanged. The steps here are those of
`Missing`, in the same order; where one comes to something else, `Missing` goes on from there, in a task:

    lease ───────────────── load ─────────────── fill ─────────────── the answer
      │ busy, or Redis        │ PostgreSQL         │ refused, or Redis
      │ does not answer       │ does not answer    │ does not answer
      it waits, or loads      the lease is         the cache is told
      around the cache        abandoned            before the answer
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from service.cache.entry import NO_WISH, Answer, Detail, Glance, Lease, Outcome, Reading
from service.cache.loads import Loaded, Loads, new_token
from service.cache.missing import Missing
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.rounds import Rounds
from service.cache.store import Filled, Leased, Store
from service.cache.tasks import Tasks
from service.cache.visit import Visit
from service.errors import CacheUnavailableError, UnavailableError

Then = Callable[[Answer | Glance | BaseException], None]


class Carrier:
    """``then`` is called once, in a later turn of the loop: with the answer, with the error, or with a `Glance` whose
    ``rest`` goes on in a task. Whoever asked may be gone by then: a load that has begun is finished, and fills.
    """

    def __init__(
        self, store: Store, *, loads: Loads, missing: Missing, tasks: Tasks, recorder: Recorder, budget_seconds: float
    ) -> None:  # fmt: skip
        self.store = store
        self.loads = loads
        self.missing = missing
        self.rounds = Rounds()
        self._tasks = tasks
        self._recorder = recorder
        self._budget_seconds = budget_seconds

    def miss(self, name: str, policy: Policy, reading: Reading, spent_seconds: float, then: Then) -> bool:
        """Load what the cache does not have. False where there is more to it: an entry that does not count, or somebody
        who loads it already, or a flood of absent keys that is held back.
        """
        left = self._budget_seconds - spent_seconds
        if reading.raw is not None or reading.generation is None or left <= 0 or not self.missing.lead_at_once(name):
            return False
        visit = Visit(name, policy, NO_WISH, left, spent_seconds * 1000, 0.0, reading.generation)
        _Miss(self, visit, then).begin()
        return True

    def around(self, name: str, policy: Policy, then: Then) -> None:
        """Load while Redis is out of reach, and learn with the row whether any cache may still hold something older."""
        visit = Visit(name, policy, NO_WISH, self._budget_seconds, generation=self.store.generation_of(name))
        _Around(self, visit, then).begin()

    def answered(self, visit: Visit, answer: Answer) -> Answer:
        self._recorder.read(visit.name[: visit.name.index(":")], answer.outcome)
        return answer

    def go_on(self, rest: Coroutine[Any, Any, Answer]) -> Glance:
        """Leave the rest to a task."""
        return Glance(None, 0.0, self._tasks.start(rest))

    def abandon(self, name: str) -> None:
        self._tasks.start(self.store.abandon(name))


class _Miss:
    """Leads its key's flight, which ends with it, or with the task that it leaves the rest to."""

    __slots__ = ("_carrier", "_lease", "_loaded", "_since", "_then", "_visit")

    def __init__(self, carrier: Carrier, visit: Visit, then: Then) -> None:
        self._carrier = carrier
        self._visit = visit
        self._then = then

    def begin(self) -> None:
        carrier, visit = self._carrier, self._visit
        self._since = time.monotonic()
        leased = carrier.rounds.bound(self._leased, visit.left_seconds, _redis_is_late)
        carrier.store.ask_lease(visit.name, new_token(), leased)

    def _leased(self, leased: Leased | None, error: BaseException | None) -> None:
        carrier, visit = self._carrier, self._visit
        visit.account(time.monotonic() - self._since)
        if leased is not None and leased.lease is not None:
            self._lease: Lease = leased.lease
            visit.generation = leased.lease.generation
            try:
                carrier.loads.ask(visit.name, self._came)
            except UnavailableError as refusal:  # too many wait already
                self._came(None, refusal)
        elif leased is not None and leased.reading.generation is not None:
            self._then(carrier.go_on(carrier.missing.end_without_lease(visit, leased.reading)))
        elif leased is not None or isinstance(error, CacheUnavailableError):
            self._end(carrier.go_on(carrier.missing.around(visit, Outcome.OFF, Detail.CACHE_UNREACHABLE)))
        else:
            self._end(_defect(error))

    def _came(self, loaded: Loaded | None, error: BaseException | None) -> None:
        carrier, visit = self._carrier, self._visit
        if loaded is None:
            if isinstance(error, UnavailableError):
                carrier.abandon(visit.name)  # let the next reader try, not wait for the lease
            self._end(_defect(error))
            return
        self._loaded = loaded
        visit.load_ms += loaded.cost_ms
        try:
            install = carrier.missing.to_fill(visit, self._lease, loaded)
        except Exception as defect:  # noqa: BLE001 (nobody thought of it, and the client waits to be told)
            self._end(defect)
            return
        self._since = time.monotonic()
        filled = carrier.rounds.bound(self._filled, max(0.0, visit.left_seconds), _redis_is_late)
        carrier.store.ask_fill(visit.name, self._lease.token, loaded.row.version, install, filled)

    def _filled(self, filled: Filled | None, error: BaseException | None) -> None:
        carrier, visit = self._carrier, self._visit
        if filled is None and not isinstance(error, CacheUnavailableError):
            self._end(_defect(error))
            return
        since = self._since
        visit.account(time.monotonic() - since)
        answer = carrier.missing.filled(visit, self._loaded, filled)
        if answer is not None:
            self._end(carrier.answered(visit, answer))
        else:
            self._then(carrier.go_on(carrier.missing.end_refused(visit, self._loaded, since)))

    def _end(self, found: Answer | Glance | BaseException) -> None:
        self._carrier.missing.end(self._visit.name)
        self._then(found)


class _Around:
    __slots__ = ("_carrier", "_then", "_visit")

    def __init__(self, carrier: Carrier, visit: Visit, then: Then) -> None:
        self._carrier = carrier
        self._visit = visit
        self._then = then

    def begin(self) -> None:
        try:
            self._carrier.loads.ask(self._visit.name, self._came, with_coverage=True)
        except UnavailableError as refusal:
            # Not at once: whoever asks has not been told yet that this request is taken.
            asyncio.get_running_loop().call_soon(self._came, None, refusal)

    def _came(self, loaded: Loaded | None, error: BaseException | None) -> None:
        carrier, visit = self._carrier, self._visit
        if loaded is None:
            self._then(_defect(error))
            return
        visit.load_ms += loaded.cost_ms
        if loaded.coverage is not None and loaded.coverage.covered:
            answer = visit.answer_row(loaded.row, Outcome.OFF, Detail.CACHE_UNREACHABLE)
            self._then(carrier.answered(visit, answer))
        else:
            self._then(carrier.go_on(carrier.missing.settled(visit, loaded, Outcome.OFF, Detail.CACHE_UNREACHABLE)))


def _redis_is_late() -> CacheUnavailableError:
    return CacheUnavailableError("Redis took longer than a request waits for it")


def _defect(error: BaseException | None) -> BaseException:
    return error or RuntimeError("a batch said nothing")
