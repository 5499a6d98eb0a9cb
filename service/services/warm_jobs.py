"""Warming as a job: what is asked for is looked up, and a run goes on from where the job has come to."""

from __future__ import annotations

from functools import partial

from service.domain.entity import EntityKey
from service.domain.job import Job
from service.domain.warm_wanted import WarmWanted
from service.services.hot_keys import HotKeys
from service.services.jobs import Report
from service.services.pacing import Pace
from service.services.warming import Place, Tally, Wanted, Warming
from service.services.warming_apart import WarmingApart

_PATIENCE_SECONDS = 20.0
_FEW = 5_000
"""So many rows are warmed before another process has started, and hits hardly notice."""


class WarmJobs:
    """The work of jobs of kind `warm`: few rows here, many ``apart``. ``rows_per_second`` where a job does not say how
    fast.
    """

    def __init__(self, warming: Warming, apart: WarmingApart, hot_keys: HotKeys, *, rows_per_second: float) -> None:
        self._warming = warming
        self._apart = apart
        self._hot_keys = hot_keys
        self._rows_per_second = rows_per_second

    async def run(self, job: Job, report: Report) -> None:
        asked = WarmWanted.from_json(job.wanted)
        # A service that has just been started has a cache in a moment.
        await Pace(items_per_second=None, patience_seconds=_PATIENCE_SECONDS).patiently(self._warming.check)
        wanted = await self._wanted(asked)
        before, begin_at = _so_far(job, resumes=wanted.keys is None)
        about = job.about or before.rows + await self._warming.about_how_many(wanted)
        report(before._asdict(), about=about)
        rate = asked.rows_per_second or self._rows_per_second
        told = partial(_tell, report, before)
        run = self._apart.run if await self._warming.are_more_than(_FEW, wanted) else self._warming.run
        tally = await run(wanted, rows_per_second=rate, on_progress=told, begin_at=begin_at)
        _tell(report, before, tally)

    async def _wanted(self, asked: WarmWanted) -> Wanted:
        if asked.hot is not None:
            hottest = await self._hot_keys.hottest(asked.hot)
            return Wanted(keys=tuple(each.key for each in hottest))
        if asked.ids is not None:
            return Wanted(keys=tuple(EntityKey(asked.entity_types[0], each) for each in asked.ids))
        return Wanted(entity_types=asked.entity_types, prefix=asked.prefix)


def _so_far(job: Job, *, resumes: bool) -> tuple[Tally, Place | None]:
    """What was counted up to where it goes on. A list of keys is gone through again: what is there is passed over."""
    reached = job.reached
    if not resumes or reached is None:
        return Tally(), None
    return Tally(**reached["counted"]), Place(reached["entity_type"], reached["after"])


def _tell(report: Report, before: Tally, tally: Tally, place: Place | None = None) -> None:
    so_far = before.plus(tally)._asdict()
    reached = None if place is None else {**place._asdict(), "counted": so_far}
    report(so_far, reached=reached)
