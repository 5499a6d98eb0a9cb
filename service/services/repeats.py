"""What a request with an Idempotency-Key is answered the second time: what it has written the first time.

A repeat is an acknowledgement of that write, and may come before any other: the first attempt's process may have died
between its commit and the word to the cache. So it settles what it found, as the first would have done:

    writer B:            commits 2 ── dies
    repeat, replica A:                      finds 2 ── applies it, or waits ── acknowledges 2
    reader C:                                                                                  must not hit 1

What it found may have been overwritten since. To tell the cache of it is right all the same: that a version exists
stays true, and nothing newer gives way to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from service.cache.engine import Engine
from service.cache.entry import Settled
from service.cache.keys import name_of
from service.cache.policy import Policy, Strategy
from service.cache.tasks import Tasks
from service.db.repeats import RepeatTable
from service.domain.entity import EntityKey, WrittenRow
from service.domain.repeatable import Repeatable
from service.domain.row import VersionedRow
from service.services.writing import Written

_BY_VERSION = Policy(strategy=Strategy.CACHE_ASIDE)
"""The cache is told of the version, and given no body: the one that was written may not be the newest any more."""


class Repeats:
    """Asked before anything is done, also before conditions are judged: the first attempt may have made them fail."""

    def __init__(self, engine: Engine, table: RepeatTable, tasks: Tasks) -> None:
        self._engine = engine
        self._table = table
        self._tasks = tasks

    async def of_one(self, request: Repeatable | None, key: EntityKey, *, wait: bool) -> Written | None:
        """What a request has written to one entity; None where it is the first attempt, or cannot be repeated.

        ``wait`` as of a write. Raises KeyReusedError, UnavailableError.
        """
        found = await self.of_many(request, [key], wait=wait)
        return None if found is None else found[0]

    async def of_many(
        self, request: Repeatable | None, keys: Sequence[EntityKey], *, wait: bool
    ) -> list[Written] | None:
        """The same of a batch: one result for each key, in order."""
        if request is None:
            return None
        return await self._tasks.finish(self._of_many(request, keys, wait=wait))

    async def _of_many(self, request: Repeatable, keys: Sequence[EntityKey], *, wait: bool) -> list[Written] | None:
        rows = await self._table.recall(request)
        if rows is None:
            return None
        seen = time.monotonic()  # after the commit of the first attempt, whenever that was
        settling = [self._settle(key, row, since=seen, wait=wait) for key, row in zip(keys, rows, strict=True)]
        outcomes = await asyncio.gather(*settling)
        return [Written(row, settled, is_repeat=True) for row, settled in zip(rows, outcomes, strict=True)]

    async def _settle(self, key: EntityKey, row: WrittenRow, *, since: float, wait: bool) -> Settled:
        name = name_of(key.entity_type, key.id)
        intent = await self._engine.intend(name, _BY_VERSION)
        return await self._engine.settle(
            name, _BY_VERSION, VersionedRow(row.version, None), intent, since=since, cost_ms=0.0, wait=wait
        )
