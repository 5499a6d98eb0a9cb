"""From the release before to today's, and back, and forward again: one replica at a time, while clients read and write.

    old replicas ── today's migrations ── a new one for each old one, the relay's leader last ── one goes back ── it is
    made to lead new ones ── and forward again

Whenever both versions serve, both must have answered hits of the same keys: else nothing was tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.rollout.load import Load, Verdict, judged, under_load
from tests.rollout.purging import Purged, purge_a_type
from tests.rollout.release import CURRENT, Release
from tests.rollout.slot import Slot, Span
from tests.rollout.stage import Stage
from tests.support.scraping import scrape
from tests.support.waiting import lasting


@dataclass(frozen=True, slots=True)
class Mixed:
    """A while in which both versions served: who led the relay, and the hits of each meanwhile."""

    leader: str
    old: int
    new: int
    hits_of_old: int
    hits_of_new: int
    off: int
    """Reads that the cache was not used for."""
    purged: Purged | None = None


@dataclass(frozen=True, slots=True)
class Upgraded:
    verdict: Verdict
    began: float
    spans: list[Span]
    ready_seconds: dict[str, list[float]]
    migrated_seconds: float
    mixed: list[Mixed]
    door: dict[str, int]
    load: Load
    wrong: list[str] = field(default_factory=list)
    """What must not be, besides the verdict's."""


class Upgrade:
    """``mixed_seconds``: how long both versions serve side by side each time. The old replicas run already."""

    def __init__(
        self, stage: Stage, old: Release, *, mixed_seconds: float, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._stage = stage
        self._old = old
        self._mixed_seconds = mixed_seconds
        self._tell = tell
        self._mixed: list[Mixed] = []

    async def run(self, *, readers: int, writers: int, is_whole: bool = True) -> Upgraded:
        """``is_whole``: after the way back, the old replica is made to lead the new ones, and gives way once more."""
        began = time.monotonic()
        async with under_load(self._stage.door, readers=readers, writers=writers) as load:
            migrating = time.monotonic()
            await self._stage.migrate(CURRENT)
            migrated_seconds = time.monotonic() - migrating
            self._tell(f"migrated from {self._old.schema} to {CURRENT.schema} in {migrated_seconds:.1f} s")
            slots = await self._stage.followers_first()
            for slot in slots[:-1]:
                await slot.replace(CURRENT)
                await self._both_serve(load)
            await slots[-1].replace(CURRENT)
            self._tell("all are new; one goes back")
            await slots[0].replace(self._old)
            await self._both_serve(load)
            if is_whole:
                await self._stage.hand_over_to(slots[0])
                await self._both_serve(load)
                await slots[0].replace(CURRENT)
        return Upgraded(
            verdict=await judged(load, self._stage.urls["DATABASE_URL"]),
            began=began,
            spans=[span for slot in slots for span in slot.spans],
            ready_seconds=self._ready_seconds(slots),
            migrated_seconds=migrated_seconds,
            mixed=self._mixed,
            door=self._stage.statistics.counts(),
            load=load,
            wrong=[fault for mixed in self._mixed for fault in faults_of(mixed)],
        )

    async def _both_serve(self, load: Load) -> None:
        before = await self._hits()
        asked = load.answered
        await lasting(self._mixed_seconds)
        after = await self._hits()
        meanwhile = load.history[asked:]
        leader = await self._stage.leader()
        releases = [slot.release for slot in self._stage.slots]
        new = next(slot for slot in self._stage.slots if slot.release == CURRENT.name)
        mixed = Mixed(
            leader="none" if leader is None else leader.release,
            old=releases.count(self._old.name),
            new=releases.count(CURRENT.name),
            hits_of_old=after[self._old.name] - before[self._old.name],
            hits_of_new=after[CURRENT.name] - before[CURRENT.name],
            off=sum(operation.outcome == "off" for operation in meanwhile),
            purged=await purge_a_type(new.url, self._stage.urls["REDIS_URL"]),
        )
        self._mixed.append(mixed)
        self._tell(str(mixed))

    async def _hits(self) -> dict[str, int]:
        found = {self._old.name: 0, CURRENT.name: 0}
        for slot in self._stage.slots:
            counted = (await scrape([slot.url])).total_of("aside_cache_requests_total", outcome="hit")
            found[slot.release] += int(counted)
        return found

    def _ready_seconds(self, slots: list[Slot]) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {self._old.name: [], CURRENT.name: []}
        for slot in slots:
            starts = [span.release for span in slot.spans if span.state == "starting"]
            for release, seconds in zip(starts, slot.ready_seconds, strict=True):
                found[release].append(seconds)
        return found


def faults_of(mixed: Mixed) -> list[str]:
    where = f"with {mixed.old} old and {mixed.new} new, {mixed.leader} leading"
    found = []
    if not mixed.hits_of_old or not mixed.hits_of_new:
        found.append(f"{where}: old had {mixed.hits_of_old} hits, new {mixed.hits_of_new}")
    if mixed.purged is not None and mixed.purged.still_served:
        found.append(f"{where}: a type was given up, and what had been planted in it was still answered")
    return found
