"""Purging: taking entries out of the cache, of some names at once, of a type or of everything by one epoch.

Nothing is ever stale, so nobody has to purge for the truth's sake. It is for what triggers did not see (they were
switched off, a backup was put back by force), for policies that shall hold at once, and for memory.

    a type, or everything:  the epoch moves ── the relay grants a heartbeat with it ── nobody is answered with what was
                            there before ── a job walks through Redis and frees the memory
    a prefix:               a job walks through Redis and removes what it finds, leases too
    some names:             removed at once

Whatever is being loaded meanwhile fills nothing: its lease is gone, or of an epoch that does not count any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from service.cache.keys import name_of
from service.cache.sweeping import BEGINNING, SweepLane
from service.db.epochs import Epochs
from service.domain.job import Job
from service.errors import CacheUnavailableError, InvalidInputError
from service.services.jobs import Report
from service.services.pacing import Pace

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 30.0
_DROPPED_AT_ONCE = 50
"""While the table of a server shrinks, a step of SCAN may find a thousand keys: together they would hold it up."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeWanted:
    """What is to go: of one type, those ids whose beginning is ``prefix``; without a type, everything."""

    entity_type: str | None
    prefix: str = ""
    dry_run: bool = False

    @property
    def as_json(self) -> dict[str, Any]:
        said = {"all": True} if self.entity_type is None else {"entity_type": self.entity_type}
        more = {"prefix": self.prefix, "dry_run": self.dry_run}
        return said | {name: value for name, value in more.items() if value}

    @classmethod
    def from_json(cls, wanted: Mapping[str, Any]) -> PurgeWanted:
        """Raises InvalidInputError for what no version of this service has asked for."""
        match wanted:
            case {"entity_type": str(entity_type)}:
                return cls(
                    entity_type=entity_type,
                    prefix=str(wanted.get("prefix", "")),
                    dry_run=wanted.get("dry_run") is True,
                )
            case {"all": True}:
                return cls(entity_type=None, dry_run=wanted.get("dry_run") is True)
            case _:
                raise InvalidInputError("this job says nothing that can be purged")

    @property
    def is_by_epoch(self) -> bool:
        """Whether nothing of it counts any more when the walk begins, so that the walk only frees memory."""
        return not self.prefix and not self.dry_run


class Purging:
    """Every method may raise UnavailableError."""

    def __init__(self, lane: SweepLane, epochs: Epochs, *, bound_seconds: float) -> None:
        self._lane = lane
        self._epochs = epochs
        self._bound_seconds = bound_seconds

    async def names(self, entity_type: str, ids: Sequence[str], *, dry_run: bool) -> int:
        """Remove entries at once. Returns how many there were, leases included."""
        names = [name_of(entity_type, each) for each in dict.fromkeys(ids)]
        return await (self._lane.count_names(names) if dry_run else self._lane.drop_names(names))

    async def give_up(self, entity_type: str | None) -> None:
        """Return once no reader, of any replica, is answered with what was cached before; B at the most, or 2 B.

        Where no heartbeat with the new epoch is seen, B is waited out: one that is alive then was granted by a poll
        made after the commit. If it does not name the type, a replica leads whose version knows no epochs of types, as
        happens while replicas are exchanged for newer ones: then everything is given up, which every version knows.
        """
        if entity_type is None:
            await self._give_up_all()
            return
        await self._epochs.next_of_type(entity_type)
        if not await self._is_in_force_within_bound(entity_type) and await self._is_refused(entity_type):
            log.warning("relay_knows_no_epochs_of_types", entity_type=entity_type, given_up="everything")
            await self._give_up_all()

    async def _give_up_all(self) -> None:
        await self._epochs.next_of_all()
        await self._is_in_force_within_bound("any")

    async def _is_in_force_within_bound(self, entity_type: str) -> bool:
        deadline = time.monotonic() + self._bound_seconds
        while await self._label(entity_type) != await self._epochs.label_of_type(entity_type):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(_LOOK_SECONDS, left))
        return True

    async def _is_refused(self, entity_type: str) -> bool:
        """Whether a heartbeat is alive that does not name the epoch; not where one that does has just come."""
        label = await self._label(entity_type)
        return label is not None and label != await self._epochs.label_of_type(entity_type)

    async def _label(self, entity_type: str) -> bytes | None:
        """What readers ask of entries of this type; None where they do not use the cache, or nobody can tell."""
        try:
            return await self._lane.label_in_force(name_of(entity_type, "any"))
        except CacheUnavailableError:
            return None

    async def run(self, job: Job, report: Report) -> None:
        """The walk. Begun anew where it was interrupted: what is gone is not met again."""
        wanted = PurgeWanted.from_json(job.wanted)
        prefix = "" if wanted.entity_type is None else name_of(wanted.entity_type, wanted.prefix)
        pace = Pace(items_per_second=None, patience_seconds=_PATIENCE_SECONDS)
        keys, purged = 0, 0 if wanted.dry_run else job.progress.get("purged", 0)
        drop = self._lane.drop_outdated if wanted.is_by_epoch else self._lane.drop
        cursor = BEGINNING
        while True:
            step = await _half_of_the_time(pace, partial(self._lane.scan, cursor, prefix))
            keys, cursor = keys + len(step.keys), step.cursor
            for some in () if wanted.dry_run else _parts_of(step.keys):
                purged += await _half_of_the_time(pace, partial(drop, some))
            report({"keys": keys, "purged": purged})
            if cursor == BEGINNING:
                return


async def _half_of_the_time(pace: Pace, work: Callable[[], Awaitable[T]]) -> T:
    """One piece of work, and a rest for as long as it took: that time is others'."""
    began_at = time.monotonic()
    done = await pace.patiently(work)
    await asyncio.sleep(time.monotonic() - began_at)
    return done


def _parts_of(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for at in range(0, len(keys), _DROPPED_AT_ONCE):
        yield keys[at : at + _DROPPED_AT_ONCE]
