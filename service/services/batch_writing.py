"""How a batch of writes goes about the cache: each of its keys as a single write would, all of them at once.

What many keys ask of Redis within one turn of the loop goes out together: a batch has one exchange for all its leases,
and one for all that is told after the commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from service.cache.engine import Engine, Intent
from service.cache.entry import Settled
from service.cache.keys import name_of
from service.cache.policy import Policy, Strategy
from service.cache.recorder import Recorder
from service.cache.tasks import Tasks
from service.db.batches import BatchTable
from service.domain.batch import Write
from service.domain.entity import WrittenRow
from service.domain.repeatable import Repeatable
from service.domain.row import VersionedRow
from service.errors import AsideError, BatchRefusedError
from service.services.writing import Written, refusal_of

Plan = Sequence[tuple[str, Policy]]
"""For each write the name of its entry, and how that is cached."""


class BatchWriter:
    """Every batch is one transaction, and finishes although its client goes away."""

    def __init__(
        self, engine: Engine, table: BatchTable, tasks: Tasks, recorder: Recorder, policy_of: Callable[[str], Policy]
    ) -> None:
        self._engine = engine
        self._table = table
        self._tasks = tasks
        self._recorder = recorder
        self._policy_of = policy_of

    async def write(
        self, writes: Sequence[Write], *, wait: bool, repeatable: Repeatable | None = None
    ) -> list[Written]:
        """One result for each write, in order. Raises what `BatchTable.write` raises."""
        return await self._tasks.finish(self._write(writes, wait=wait, repeatable=repeatable))

    async def rehearse(self, writes: Sequence[Write]) -> list[WrittenRow]:
        """What a `write` would do. The cache is not asked, and learns nothing."""
        return await self._tasks.finish(self._table.rehearse(writes))

    async def _write(self, writes: Sequence[Write], *, wait: bool, repeatable: Repeatable | None) -> list[Written]:
        plan = [(name_of(*write.key), self._policy_of(write.key.entity_type)) for write in writes]
        intents = await asyncio.gather(*[self._engine.intend(name, policy) for name, policy in plan])
        with_bodies = any(policy.strategy is Strategy.WRITE_THROUGH for _, policy in plan)
        started = time.monotonic()
        try:
            rows = await self._table.write(writes, with_bodies=with_bodies, repeatable=repeatable)
        except BaseException as error:
            for (name, _), intent in zip(plan, intents, strict=True):
                self._engine.withdraw(name, intent)
            if isinstance(error, AsideError):
                self._record_failure(error, len(writes))
            raise
        return await self._settle(plan, rows, intents, started=started, wait=wait)

    async def _settle(
        self, plan: Plan, rows: Sequence[WrittenRow], intents: Sequence[Intent], *, started: float, wait: bool
    ) -> list[Written]:
        committed = time.monotonic()
        cost_ms = (committed - started) * 1000 / len(rows)  # of each: nobody loads them together again

        def settling(place: int) -> Awaitable[Settled]:
            (name, policy), row, intent = plan[place], rows[place], intents[place]
            told = VersionedRow(row.version, row.body, row.modified_at_ms, row.ttl_seconds)
            return self._engine.settle(name, policy, told, intent, since=committed, cost_ms=cost_ms, wait=wait)

        outcomes = await asyncio.gather(*map(settling, range(len(rows))))
        for settled in outcomes:
            self._recorder.write(settled.value)
        return [Written(row, settled) for row, settled in zip(rows, outcomes, strict=True)]

    def _record_failure(self, error: AsideError, count: int) -> None:
        """Each write of the batch has ended: those that were refused, and those that were undone with them."""
        refusals = error.refusals if isinstance(error, BatchRefusedError) else ()
        for refusal in refusals:
            self._recorder.write(refusal_of(refusal.error))
        for _ in range(count - len(refusals)):
            self._recorder.write("rolled_back" if refusals else refusal_of(error))
