"""One campaign: clients, faults, plain SQL and the checker at the same time, in one loop."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import tests.chaos.process_faults  # noqa: F401 (registers its kinds)
from tests.chaos.bulkhead import Bulkhead, leaks
from tests.chaos.checking import Checker
from tests.chaos.clients import GIVE_UP_SECONDS, Crowd
from tests.chaos.fault_kinds import INJECTIONS
from tests.chaos.mix import Mix
from tests.chaos.observation import Row, Violation
from tests.chaos.other_faults import DATABASE_ERRORS
from tests.chaos.plan import REPLICAS, Fault, groups_of
from tests.chaos.sql_writers import SqlWriters
from tests.chaos.stage import BOUND_SECONDS, Stage, logs
from tests.chaos.staleness import Staleness
from tests.chaos.tally import BIN_SECONDS, Tally
from tests.chaos.truth import Truth

WINDOW_SECONDS = 0.25
HELD_AT = 400_000
"""Operations that wait for the checker (PostgreSQL is gone, say): with more, clients wait too."""
AFTERMATH_SECONDS = 3.0
"""So long after a fault's end it may still be felt: such moments are not calm."""


@dataclass(slots=True)
class Episode:
    """A fault as it happened. Seconds since the campaign's start."""

    fault: Fault
    began: float
    ended: float | None = None
    """When it was being healed."""
    healed: float | None = None
    failure: str = ""


@dataclass
class Outcome:
    """What a campaign found. ``leaked`` counts what was open at its end."""

    seconds: float
    tally: Tally
    checker: Checker
    staleness: Staleness
    bulkhead: Bulkhead
    episodes: list[Episode]
    written: Any
    leaked: dict[str, Any] = field(default_factory=dict)
    log_lines: str = ""

    @property
    def checked(self) -> int:
        return sum(self.checker.checked.values())

    @property
    def violations(self) -> list[Violation]:
        return [*self.checker.violations, *self.tally.violations]


class Campaign:
    """``operations`` ends it once so many are checked, after the plan; ``seconds`` ends it anyway."""

    def __init__(
        self, stage: Stage, plan: Sequence[Fault], *, seconds: float, rate: float, clients: int, seed: int,
        operations: int = 0, sql_every_seconds: float = 0.25,
        on_violation: Callable[[Violation], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._stage = stage
        self._plan = plan
        self._seconds = seconds
        self._operations = operations
        self._sql_every_seconds = sql_every_seconds
        self._rate = rate
        self.episodes: list[Episode] = []
        self.tally = Tally(active=self.active, frozen_since=stage.stood_still)
        self.mix = Mix(seed)
        self.crowd = Crowd(self.mix, self.tally, stage.addresses, clients=clients, seed=seed * 1_000)
        self.checker = Checker(BOUND_SECONDS, on_violation=on_violation)
        self.sql = stage.sql = SqlWriters(stage, self.mix, seed=seed)
        self.staleness = Staleness(REPLICAS, self._is_calm)
        self.bulkhead = Bulkhead(stage)
        self._truth = Truth()
        self._groups: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.tally.began

    def active(self) -> list[str]:
        return [episode.fault.name for episode in self.episodes if episode.healed is None]

    def _is_calm(self, since: float, until: float) -> bool:
        since, until = since - self.tally.began - AFTERMATH_SECONDS, until - self.tally.began
        return not any(
            episode.began <= until and (episode.healed is None or episode.healed >= since)
            for episode in reversed(self.episodes)
        )

    async def run(self) -> Outcome:
        """Raises whatever breaks the campaign itself; whatever it starts is over at its end."""
        connection = await self._stage.database()
        await self.sql.seed(connection, self.mix.hot)
        await connection.close()
        self.tally.began = time.monotonic()
        self.crowd.set_rate(self._rate)
        self.crowd.start_all()
        over = asyncio.Event()
        background = [
            asyncio.create_task(work)
            for work in (
                self._judge_on(),
                self.sql.write_on(every_seconds=self._sql_every_seconds),
                self.bulkhead.watch(),
                self._watch_lateness(),
                self._break_on(),
            )
        ]
        faults = background.pop()
        ending = asyncio.create_task(over.wait())
        try:
            while self.elapsed < self._seconds or not faults.done():
                if faults.done() and self._operations and self.checked >= self._operations:
                    break
                done, _ = await asyncio.wait([*background, faults, ending], timeout=0.2)
                for task in done - {faults}:
                    task.result()  # they never end by themselves, except by what broke them
                if faults.done():
                    faults.result()
            seconds = self.elapsed
            await self.crowd.stop()
        finally:
            for task in [*background, faults, ending]:
                task.cancel()
            await asyncio.gather(*background, faults, ending, return_exceptions=True)
            await self.crowd.stop()
        return await self._finish(seconds)

    @property
    def checked(self) -> int:
        return sum(self.checker.checked.values())

    async def _finish(self, seconds: float) -> Outcome:
        with self._stage.session(command_timeout=30) as session:
            await self._judge_once(await session.get())
        await self.bulkhead.ask_links()
        if not self.tally.outcomes["hit"]:
            self.tally.wrong("not a single hit", "a campaign without a cache in use checks nothing of worth")
        for fault in self.bulkhead.faults():
            self.tally.wrong("more connections than configured", fault)
        leaked, counts = [""], {}
        for _ in range(20):  # what was cancelled may take a moment to end
            await asyncio.sleep(0.5)
            leaked, counts = await leaks(self._stage)
            if not leaked:
                break
        for leak in leaked:
            self.tally.wrong("a leak", leak)
        lines = await asyncio.to_thread(logs, self._stage)
        if lines:
            self.tally.wrong("errors in a replica's log", lines)
        return Outcome(
            seconds=seconds,
            tally=self.tally,
            checker=self.checker,
            staleness=self.staleness,
            bulkhead=self.bulkhead,
            episodes=self.episodes,
            written=self.sql.written,
            leaked=counts,
            log_lines=lines,
        )

    async def _judge_on(self) -> None:
        with self._stage.session() as session:
            while True:
                await asyncio.sleep(WINDOW_SECONDS)
                self.crowd.look_after()
                self.crowd.is_held = len(self.crowd.pending) > HELD_AT
                try:
                    await self._judge_once(await session.get())
                except DATABASE_ERRORS:
                    session.drop()

    async def _judge_once(self, connection: Any) -> None:
        """What has ended before PostgreSQL is asked can only tell of what PostgreSQL then knows."""
        oldest = self.crowd.look_after()
        ended, self.crowd.pending = self.crowd.pending, []
        try:
            rows = await self._truth.news(connection)
        except BaseException:
            self.crowd.pending = ended + self.crowd.pending
            raise
        now, committed = time.monotonic(), self.sql.written.committed
        self._watch(rows)
        self.checker.learn(rows, lambda row: min(now, committed.pop(row.version, now)))
        self.staleness.see(ended)
        for start in range(0, len(ended), 2_000):  # not all at once: clients must not wait for their clock
            # `oldest` speaks of what is under way now. What comes later in this window has begun earlier, but not
            # before clients give up.
            began = min(oldest, ended[start].ended - GIVE_UP_SECONDS - 5)
            self.checker.judge(ended[start : start + 2_000], oldest_began=began)
            await asyncio.sleep(0)
        self.staleness.settle(now)

    async def _watch_lateness(self) -> None:
        while True:
            due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            current = self.tally.bins[int(self.elapsed / BIN_SECONDS)]
            current.late_ms = round(max(current.late_ms, (time.monotonic() - due) * 1000), 1)

    def _watch(self, rows: list[Row]) -> None:
        written = self.sql.written
        for row in rows:
            key = written.keys.pop(row.version, None)
            if key is not None and key != "*" and not row.deleted:
                self.staleness.watch(key, row.version, written.committed[row.version])

    async def _break_on(self) -> None:
        """Each fault at its time; those that overlap, at the same time. The plan's end is the last one's heal."""
        async with asyncio.TaskGroup() as group:
            for fault in self._plan:
                await asyncio.sleep(max(0.0, fault.at - self.elapsed))
                if self.elapsed > self._seconds:
                    break
                group.create_task(self._break(fault))

    async def _break(self, fault: Fault) -> None:
        """It waits for the healing of what was done before to the same thing, which may take longer than planned."""
        async with AsyncExitStack() as stack:
            for group in groups_of(fault):
                await stack.enter_async_context(self._groups[group])
            episode = Episode(fault, self.elapsed)
            self.episodes.append(episode)
            try:
                async with INJECTIONS[fault.kind](self._stage, fault):
                    await asyncio.sleep(fault.seconds)
                    episode.ended = self.elapsed
            finally:
                episode.healed = self.elapsed


async def follow_primary(stage: Stage) -> None:
    """For ever: where Sentinel names another primary, the address of the service leads to it.

    Connections to the one before are reset every other time; else they stay, to one that may think it still is one.
    """
    at, moves = stage.redis.primary, 0
    while True:
        await asyncio.sleep(0.05)
        with suppress(OSError):
            now = await stage.redis.current_primary()
            if now is not at:
                at, moves = now, moves + 1
                for number in range(REPLICAS):
                    await stage.links.do(
                        f"redis-{number}", "point", host="127.0.0.1", port=now.port, resets=moves % 2 == 0
                    )
