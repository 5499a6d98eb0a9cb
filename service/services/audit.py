"""The audit: a sampler that holds cached entries against PostgreSQL as long as the process runs, and mends what is old.

What it draws: half of each batch are names that this process has answered as hits lately (so a key counts as often as
it is read), the rest are keys of Redis at random (so each key counts once, also one that nobody reads). How it judges,
and why no alarm can be false: `service.cache.auditing`.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

import structlog

from service.cache.auditing import contradicts, is_confirmed, served
from service.cache.entry import Entry
from service.cache.keys import split
from service.cache.probe import Probe
from service.cache.recorder import Recorder
from service.cache.served import Served
from service.cache.store import NO_GENERATION, Change, Store
from service.db.entities import Source
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN, EntityKey
from service.domain.row import Truth
from service.errors import CacheUnavailableError, UnavailableError

log = structlog.get_logger(__name__)

_NAME = re.compile(f"{ENTITY_TYPE_PATTERN[1:-1]}:{ENTITY_ID_PATTERN[1:-1]}", re.ASCII)
_LARGEST_BATCH = 50
_MOST_SUSPECTS = 1_000
_LOOK_SECONDS = 0.1
"""Suspects are looked at again together, and not more often than this, also while a server cannot be asked."""
_REMEMBERED = 10_000


class Suspect(NamedTuple):
    """An entry that was older than ``truth``, which was asked for at ``asked_at`` and known at ``truth_at`` (monotonic
    seconds).
    """

    sample: str
    truth: Truth
    asked_at: float
    truth_at: float


class Audit:
    """``samples_per_second`` of this process; 0 switches it off. A judgement that takes longer than ``give_up_seconds``
    ends without a result: much less than tombstones are kept.
    """

    def __init__(
        self, probe: Probe, store: Store, source_of: Callable[[str], Source], recorder: Recorder, *, served: Served,
        is_database_available: Callable[[], bool], bound_seconds: float, samples_per_second: float,
        give_up_seconds: float,
    ) -> None:  # fmt: skip
        self._probe = probe
        self._store = store
        self._source_of = source_of
        self._recorder = recorder
        self._served = served
        self._is_database_available = is_database_available
        self._bound_seconds = bound_seconds
        self._give_up_seconds = give_up_seconds
        self._rate = samples_per_second
        self._batch_size = min(_LARGEST_BATCH, max(1, round(samples_per_second)))
        self._suspects: dict[str, Suspect] = {}
        self._counted: OrderedDict[tuple[str, int, bytes], None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self.state = "off" if samples_per_second == 0 else "starting"

    def start(self) -> None:
        if self._rate > 0:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        interval = self._batch_size / self._rate
        sample_at, look_at = time.monotonic(), 0.0
        while True:
            if sample_at <= time.monotonic():
                sample_at = time.monotonic() + interval * (0.5 + random.random())  # noqa: S311 (in step with nothing)
                await self._guarded(self.sample)
            if max(look_at, self._first_due_at()) <= time.monotonic():
                await self._guarded(self.look_again)
                look_at = time.monotonic() + _LOOK_SECONDS
            wake_at = min(sample_at, max(look_at, self._first_due_at()))
            await asyncio.sleep(max(0.001, wake_at - time.monotonic()))

    async def _guarded(self, look: Callable[[], Awaitable[None]]) -> None:
        """Nothing that the audit meets may end it, or the process."""
        try:
            if not self._store.available or not self._is_database_available():
                self.state = "paused: " + ("PostgreSQL is away" if self._store.available else "Redis is away")
                return
            await look()
            self.state = "running"
        except UnavailableError as error:
            self.state = f"paused: {error}"
        except Exception as error:
            # This loop owns whatever else may happen to the audit: without one, staleness would go unseen.
            self.state = f"failed: {type(error).__name__}"
            log.exception("audit_failed")

    def _first_due_at(self) -> float:
        """When the first suspect may be looked at again, in monotonic seconds; infinite where there is none."""
        first = min((suspect.truth_at for suspect in self._suspects.values()), default=float("inf"))
        return first + self._bound_seconds

    async def sample(self) -> None:
        """One batch: one draw, one query for each source, one MGET. May raise UnavailableError."""
        drawn = await self._draw()
        if not drawn:
            return
        asked_at = time.monotonic()
        truths = await self._truths(drawn)
        truth_at = time.monotonic()
        readings = await self._probe.read(list(drawn))
        # What was committed more than B before the read was committed before the rows were asked for.
        in_time = time.monotonic() - asked_at <= self._bound_seconds
        now_ms = self._store.now_ms()
        for (name, sample), reading in zip(drawn.items(), readings, strict=True):
            entry = served(reading, name, now_ms)
            if entry is None or name in self._suspects:
                continue
            if contradicts(entry, truths[name]):
                self._recorder.audit_suspect()
                if len(self._suspects) < _MOST_SUSPECTS:
                    self._suspects[name] = Suspect(sample, truths[name], asked_at, truth_at)
            elif in_time:
                self._recorder.audit_checked(split(name)[0], sample)

    async def _draw(self) -> dict[str, str]:
        """The names to look at, and how each was drawn."""
        lately = self._served.take((self._batch_size + random.randrange(2)) // 2)  # noqa: S311 (no secret)
        others = await self._probe.names(self._batch_size - len(lately)) if len(lately) < self._batch_size else []
        drawn = {name: "random" for name in others if _NAME.fullmatch(name)}
        return drawn | dict.fromkeys(lately, "served")

    async def _truths(self, names: Iterable[str]) -> Mapping[str, Truth]:
        by_source: dict[Source, list[str]] = {}
        for name in names:
            by_source.setdefault(self._source_of(split(name)[0]), []).append(name)
        truths: dict[str, Truth] = {}
        for source, some in by_source.items():
            truths.update(zip(some, await source.versions([EntityKey(*split(name)) for name in some]), strict=True))
        return truths

    async def look_again(self) -> None:
        """The third and the fourth look, at every suspect that has waited for B. May raise UnavailableError."""
        began_at = time.monotonic()
        for name, suspect in list(self._suspects.items()):
            if began_at - suspect.asked_at > self._give_up_seconds:
                del self._suspects[name]
        due = {name: s for name, s in self._suspects.items() if began_at - s.truth_at > self._bound_seconds}
        if not due:
            return
        readings = await self._probe.read(list(due))
        now_ms = self._store.now_ms()
        still: dict[str, Entry] = {}
        for (name, suspect), reading in zip(due.items(), readings, strict=True):
            entry = served(reading, name, now_ms)
            if entry is not None and contradicts(entry, suspect.truth):
                still[name] = entry
            else:
                del self._suspects[name]
        if not still:
            return
        truths = await self._truths(still)
        ended_at = time.monotonic()
        for name, entry in still.items():
            suspect = self._suspects.pop(name)
            in_time = ended_at - suspect.asked_at <= self._give_up_seconds
            if in_time and is_confirmed(entry, suspect.truth, truths[name]):
                await self._found(name, entry, suspect, age_seconds=began_at - suspect.truth_at)

    async def _found(self, name: str, entry: Entry, suspect: Suspect, *, age_seconds: float) -> None:
        """Say so, once for each key and version, and end the harm."""
        self._recorder.audit_age(age_seconds)
        if self._is_new(name, entry):
            entity_type = split(name)[0]
            self._recorder.audit_checked(entity_type, suspect.sample)
            self._recorder.audit_stale(entity_type)
            log.error(
                "audit_found_a_stale_entry",
                key=name,
                cached_version=entry.version,
                row_version=suspect.truth.version,
                cached_generation=entry.generation.decode(),
                row_generation=suspect.truth.generation.decode(),
                older_than_seconds=round(age_seconds, 3),
            )
        version = suspect.truth.version
        try:
            # A row that is not there has no version to compare: whatever is cached is dropped.
            await self._store.apply(Change(name, version, entry.generation if version else NO_GENERATION))
        except CacheUnavailableError:
            self._suspects[name] = suspect  # looked at again, as long as this may be judged

    def _is_new(self, name: str, entry: Entry) -> bool:
        key = (name, entry.version, entry.generation)
        is_new = key not in self._counted
        self._counted[key] = None
        if len(self._counted) > _REMEMBERED:
            self._counted.popitem(last=False)
        return is_new
