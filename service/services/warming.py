"""Warming: fills the cache ahead of readers, page by page, several pages in flight.

    for each page:   list ids → lease those that are absent → read their rows → fill, each under its lease

The lease comes before the statement that reads, so that whatever is committed later meets it: it raises the lease's
floor, or takes the lease away, and an older row is refused. Which ids are listed decides nothing: a row that is gone
by then is filled as absent, as a reader would. Races drawn as event orders: `service.cache.warming`, docs/protocol.md.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from service.cache.keys import name_of, split
from service.cache.loads import Draw, install_of
from service.cache.policy import Policy
from service.cache.store import Store
from service.cache.warming import PageLane, PageLease, Warmed
from service.db.entities import Source
from service.db.listing import EntityListing
from service.domain.entity import EntityKey
from service.domain.row import VersionedRow
from service.errors import UnavailableError
from service.services.manners import Manner
from service.services.pacing import Pace

T = TypeVar("T")

_PACED = 50
"""Keys per script where a rate is given: Redis serves nobody else meanwhile, which is to be gentle here."""
_LISTED = 5
"""Pages whose ids are listed by one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to warm: ``keys``, if they are given; else all ids of these types (none given: of all) with the prefix."""

    entity_types: tuple[str, ...] = ()
    prefix: str = ""
    keys: tuple[EntityKey, ...] | None = None


class Place(NamedTuple):
    """Everything before it has been looked at: all types before this one, and of it the ids up to ``after``."""

    entity_type: str
    after: str


class _Page(NamedTuple):
    """``place`` is where the next one begins; None where a run that was interrupted begins anew."""

    keys: list[EntityKey]
    place: Place | None


class Tally(NamedTuple):
    """What became of the rows looked at; they are the sum of the other five.

    ``present``: cached before; ``busy``: somebody else was loading it; ``refused``: changed while it was read;
    ``absent``: there is no such row, which is cached as well.
    """

    rows: int = 0
    installed: int = 0
    present: int = 0
    busy: int = 0
    refused: int = 0
    absent: int = 0

    def plus(self, other: Tally) -> Tally:
        return Tally(*[mine + its for mine, its in zip(self, other, strict=True)])


class Warming:
    """Fills through ``lanes``, one page in flight on each. PostgreSQL is asked on one connection at a time.

    A page that fails is tried again for ``patience_seconds``, from its lease on.
    """

    def __init__(
        self, lanes: Sequence[PageLane], store: Store, listing: EntityListing, source_of: Callable[[str], Source],
        policy_of: Callable[[str], Policy], *, manner: Manner, patience_seconds: float = 10.0,
        draw: Draw = random.random,
    ) -> None:  # fmt: skip
        self._lanes = lanes
        self._store = store
        self._listing = listing
        self._source_of = source_of
        self._policy_of = policy_of
        self._patience_seconds = patience_seconds
        self._manner = manner
        self._draw = draw
        self._asking = asyncio.Lock()

    async def check(self) -> None:
        """Raises CacheUnavailableError, in words, where no service vouches for the cache, nor does within a second."""
        await Pace(items_per_second=None, patience_seconds=1.0).patiently(self._lanes[0].check)

    async def about_how_many(self, wanted: Wanted) -> int:
        """An estimate of the rows that `run` would look at. May raise UnavailableError."""
        if wanted.keys is not None:
            return len(wanted.keys)
        pace = Pace(items_per_second=None, patience_seconds=0)
        types = [each async for each in self._types(wanted, pace)]
        return sum([await self._listing.about_how_many(each.entity_type, prefix=wanted.prefix) for each in types])

    async def are_more_than(self, few: int, wanted: Wanted) -> bool:
        """Whether `run` would look at more rows than that; counted, since estimates of a prefix may be far from it. May
        raise UnavailableError.
        """
        if wanted.keys is not None:
            return len(wanted.keys) > few
        count = 0
        async for each in self._types(wanted, Pace(items_per_second=None, patience_seconds=0)):
            page = await self._listing.page(each.entity_type, prefix=wanted.prefix, after="", limit=few + 1)
            count += len(page.ids)
            if page.last is not None or count > few:
                return True
        return False

    async def run(
        self, wanted: Wanted, *, rows_per_second: float | None = None,
        on_progress: Callable[[Tally, Place | None], None] = lambda _, __: None, begin_at: Place | None = None,
    ) -> Tally:  # fmt: skip
        """Warm, and tell after each page what became of all so far, and how far all is done without a gap: another run
        may begin there. Raises UnavailableError, after its patience.

        A cancellation, or a failure, lets the pages in flight end: none leaves a lease behind.
        """
        await self.check()
        pace = Pace(items_per_second=rows_per_second, patience_seconds=self._patience_seconds)
        size = self._manner.page_size
        if rows_per_second is not None:
            size = max(1, min(size, _PACED, round(rows_per_second / 10)))
        async with aclosing(self._pages(wanted, size, pace, begin_at)) as pages:
            run = _Run(pages, pace, on_progress)
            tasks = [asyncio.create_task(self._work(run, lane)) for lane in self._lanes]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                pace.stop()
                await asyncio.wait(tasks)
                errors = [error for task in tasks if (error := task.exception()) is not None]
        if errors:
            raise errors[0]
        return run.tally

    async def _work(self, run: _Run, lane: PageLane) -> None:
        while (following := await run.next_page()) is not None:
            number, page = following
            began = time.monotonic()
            run.count(number, await run.pace.patiently(partial(self._warm, lane, page.keys)))
            await run.pace.rest(self._manner.rest * (time.monotonic() - began))

    async def _warm(self, lane: PageLane, page: Sequence[EntityKey]) -> Tally:
        lease = await lane.lease([name_of(*key) for key in page])
        installed, absent = await self._fill(lane, lease) if lease.names else (0, 0)
        refused = len(lease.names) - installed - absent
        return Tally(len(page), installed, lease.present, lease.busy, refused, absent)

    async def _fill(self, lane: PageLane, lease: PageLease) -> tuple[int, int]:
        """How many rows were installed, and how many as absent. Where it fails, the leases are given back."""
        is_filled = False
        try:
            await asyncio.sleep(0)
            rows, cost_ms = await self._read(lease)
            stored = await lane.fill(lease, await self._entries(lease, rows, cost_ms))
            is_filled = True
        finally:
            if not is_filled:
                with suppress(UnavailableError):  # then they expire
                    await lane.abandon(lease)
        absent = sum(done and row.body is None for done, row in zip(stored, rows, strict=True))
        return sum(stored) - absent, absent

    async def _read(self, lease: PageLease) -> tuple[list[VersionedRow], float]:
        """The rows of the page's names, as of now; and how long the query took, in ms."""
        keys = [EntityKey(*split(name)) for name in lease.names]
        async with self._asking:
            started = time.perf_counter()
            rows = await self._source_of(keys[0].entity_type).load(keys)
        return rows, (time.perf_counter() - started) * 1000

    async def _entries(self, lease: PageLease, rows: Sequence[VersionedRow], cost_ms: float) -> list[Warmed]:
        """Those who wait for the loop have their turns in between."""
        entries: list[Warmed] = []
        size = self._manner.rows_at_once
        for at in range(0, len(rows), size):
            await asyncio.sleep(0)
            entries += self._some_entries(lease, lease.names[at : at + size], rows[at : at + size], cost_ms)
        await asyncio.sleep(0)
        return entries

    def _some_entries(
        self, lease: PageLease, names: Sequence[str], rows: Sequence[VersionedRow], cost_ms: float
    ) -> list[Warmed]:
        policy = self._policy_of(split(names[0])[0])
        now_ms = self._store.now_ms()
        return [
            Warmed(
                name,
                row.version,
                install_of(
                    name, policy, row, generation=lease.generation, cost_ms=cost_ms, now_ms=now_ms, draw=self._draw()
                ),
            )
            for name, row in zip(names, rows, strict=True)
        ]

    async def _pages(self, wanted: Wanted, size: int, pace: Pace, begin_at: Place | None) -> AsyncGenerator[_Page]:
        """Keys of one type each. May raise UnavailableError."""
        if wanted.keys is not None:
            for keys in pages_of(wanted.keys, size):
                yield _Page(keys, None)
            return
        async for entity_type, begins_after in self._types(wanted, pace, begin_at):
            after: str | None = begins_after
            while after is not None:
                limit = size * _LISTED
                list_ids = partial(self._listing.page, entity_type, prefix=wanted.prefix, after=after, limit=limit)
                ids, after = await pace.patiently(partial(self._ask, list_ids))
                for at in range(0, len(ids), size):
                    some = ids[at : at + size]
                    yield _Page([EntityKey(entity_type, each) for each in some], Place(entity_type, some[-1]))

    async def _types(self, wanted: Wanted, pace: Pace, begin_at: Place | None = None) -> AsyncGenerator[Place]:
        """The beginning of each type, in their order; of the first one, perhaps not the very beginning."""
        begin_at = begin_at or Place("", "")
        if wanted.entity_types:
            for each in sorted(set(wanted.entity_types)):
                if each >= begin_at.entity_type:
                    yield Place(each, begin_at.after if each == begin_at.entity_type else "")
            return
        if begin_at.entity_type:
            yield begin_at
        found = begin_at.entity_type
        while True:
            following = await pace.patiently(partial(self._ask, partial(self._listing.next_type, found)))
            if following is None:
                return
            yield Place(found := following, "")

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        async with self._asking:
            return await question()


def pages_of(keys: Iterable[EntityKey], size: int) -> Iterator[list[EntityKey]]:
    """The keys, each once, in pages of one type each."""
    by_type: dict[str, dict[EntityKey, None]] = {}
    for key in keys:
        by_type.setdefault(key.entity_type, {})[key] = None
    for of_one_type in map(list, by_type.values()):
        for at in range(0, len(of_one_type), size):
            yield of_one_type[at : at + size]


class _Run:
    """What the lanes of one run share: where the pages come from, and what became of them."""

    def __init__(
        self, pages: AsyncIterator[_Page], pace: Pace, on_progress: Callable[[Tally, Place | None], None]
    ) -> None:
        self._pages = pages
        self._on_progress = on_progress
        self._turn = asyncio.Lock()
        self._taken = 0
        self._under_way: dict[int, Place | None] = {}
        self._done: dict[int, Place | None] = {}
        self._reached: Place | None = None
        self.pace = pace
        self.tally = Tally()

    async def next_page(self) -> tuple[int, _Page] | None:
        """The next one, once the rate allows it; None at the end. Waits before a lease is taken, never under one."""
        async with self._turn:
            page = await anext(self._pages, None)
            if page is None or not await self.pace.turn(len(page.keys)):
                return None
            self._taken += 1
            self._under_way[self._taken] = page.place
            return self._taken, page

    def count(self, number: int, page: Tally) -> None:
        self.tally = self.tally.plus(page)
        self._done[number] = self._under_way.pop(number)
        # Pages may end in another order than they began in: what is done counts up to the first that is not.
        first_open = min(self._under_way, default=self._taken + 1)
        for each in [each for each in sorted(self._done) if each < first_open]:
            self._reached = self._done.pop(each)
        self._on_progress(self.tally, self._reached)
