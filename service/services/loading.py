"""The engine's loader and ledger: what waits at one moment goes in one query for each source, on a bounded number of
connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.cache.batch import Batch
from service.cache.keys import split
from service.cache.patience import patiently
from service.cache.recorder import Recorder
from service.cache.rounds import Rounds
from service.cache.store import Found
from service.db.entities import Source
from service.db.ledger import LedgerTable
from service.domain.entity import EntityKey
from service.domain.pace import Pace
from service.domain.row import Coverage, VersionedRow
from service.domain.shedding import Shedding, Work
from service.errors import DatabaseBusyError, OverloadedError


class _Want(NamedTuple):
    key: EntityKey
    with_coverage: bool


class SourceLoader:
    """See :class:`service.cache.store.Loader`. ``sources`` are those of the entity types that have one of their own.

    ``in_flight`` queries at the same time over all sources, whatever the number of requests: a flood becomes larger
    batches, not more queries. Nobody waits longer than ``timeout_seconds`` for a place and an answer together; who
    would have to, as far as one can see, is refused at once.
    """

    def __init__(
        self, source: Source, recorder: Recorder, *, in_flight: int, batch_size: int, timeout_seconds: float,
        sources: Mapping[str, Source] | None = None, shedding: Shedding | None = None,
    ) -> None:  # fmt: skip
        self._default = source
        self._sources = sources or {}
        self._recorder = recorder
        self._timeout_seconds = timeout_seconds
        self._batch_size = batch_size
        self._pace = Pace(in_flight)
        self._shedding = shedding or Shedding()
        self._batch: Batch[_Want, Found] = Batch([self._send] * in_flight, max_size=batch_size)
        self._rounds = Rounds()
        self.most_in_flight = in_flight
        self.in_flight = 0
        """Queries under way at this moment; each has a connection, or waits for one."""

    async def load(self, name: str) -> VersionedRow:
        return (await self._in_time(_Want(EntityKey(*split(name)), with_coverage=False))).row

    async def load_with_coverage(self, name: str) -> tuple[VersionedRow, Coverage]:
        got = await self._in_time(_Want(EntityKey(*split(name)), with_coverage=True))
        assert got.coverage is not None
        return got.row, got.coverage

    def ask(
        self, name: str, then: Callable[[Found | None, BaseException | None], None], *, with_coverage: bool
    ) -> None:  # fmt: skip
        self._refuse_if_late()
        want = _Want(EntityKey(*split(name)), with_coverage)
        self._batch.notify(want, self._rounds.bound(then, self._timeout_seconds, _too_busy))

    async def _in_time(self, want: _Want) -> Found:
        self._refuse_if_late()
        try:
            return await patiently(self._batch.submit(want), self._timeout_seconds)
        except TimeoutError as error:
            raise _too_busy() from error

    def _refuse_if_late(self) -> None:
        wait = self._pace.wait(time.perf_counter(), turns_before=len(self._batch) // self._batch_size)
        if wait > self._timeout_seconds or self._shedding.refuses(Work.MISS):
            raise OverloadedError("PostgreSQL would answer too late", work=Work.MISS.value)

    async def _send(self, wants: list[_Want]) -> list[Found]:
        """One query for each source that is asked, one after the other: the number in flight stays what it is."""
        by_source: dict[Source, list[int]] = {}
        for place, want in enumerate(wants):
            by_source.setdefault(self._sources.get(want.key.entity_type, self._default), []).append(place)
        found: dict[int, Found] = {}
        for source, places in by_source.items():
            found.update(zip(places, await self._query(source, [wants[place] for place in places]), strict=True))
        return [found[place] for place in range(len(wants))]

    async def _query(self, source: Source, wants: list[_Want]) -> list[Found]:
        """If one of the keys needs its coverage all get it: one connection, not two."""
        keys = [want.key for want in wants]
        started = time.perf_counter()
        self.in_flight += 1
        self._pace.began(started)
        self._recorder.load_started(len(keys))
        try:
            if any(want.with_coverage for want in wants):
                return [Found(row, coverage) for row, coverage in await source.load_with_coverage(keys)]
            return [Found(row, None) for row in await source.load(keys)]
        finally:
            self.in_flight -= 1
            ended = time.perf_counter()
            self._pace.ended(started, ended)
            self._recorder.load_ended(ended - started)

    async def close(self) -> None:
        await self._batch.close()


def _too_busy() -> DatabaseBusyError:
    return DatabaseBusyError("PostgreSQL is too busy to answer in time")


class BatchedLedger:
    """See :class:`service.cache.store.Ledger`. One query at a time, however many writers and readers must wait."""

    def __init__(self, table: LedgerTable) -> None:
        self._batch: Batch[int, Coverage] = Batch([table.coverages], max_size=1_000)

    async def coverage(self, version: int) -> Coverage:
        return await self._batch.submit(version)

    async def close(self) -> None:
        await self._batch.close()
