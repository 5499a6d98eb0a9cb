"""Causes failures on all Asides at once, one after the other on each, and sees every alert fire, and end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from tests.alerts import failures
from tests.alerts.prometheus import RULES, SCRAPE_SECONDS, Alert, Prometheus, prometheus
from tests.alerts.scaling import scaled
from tests.alerts.stage import Aside, open_stage
from tests.support.databases import DatabaseMint
from tests.support.waiting import eventually

_LONGEST_SECONDS = 90.0

Failing = Callable[[Aside], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Failure:
    """What it does to one job, and the alerts that must fire. ``later`` are those that take more than ten seconds."""

    job: str
    failing: Failing
    alerts: tuple[str, ...]
    later: tuple[str, ...] = ()


FAILURES = [
    Failure("aside-fleet", failures.one_replica_killed, ("AsideReplicaDown",)),
    Failure("aside-fleet", failures.all_replicas_killed, ("AsideDown", "AsideReplicaDown")),
    Failure("aside-fleet", failures.a_replica_on_another_database, ("AsideForeignHeartbeat",)),
    Failure("aside-redis", failures.redis_frozen, ("AsideRedisUnreachable",), ("AsideWritesDeferred",)),
    Failure("aside-redis", failures.a_full_redis, ("AsideRedisRefusing",), ("AsideRedisNearlyFull",)),
    Failure(
        "aside-postgres",
        failures.postgresql_killed,
        ("AsidePostgresqlUnreachable", "AsideErrors", "AsideWritesFailing"),
    ),
    Failure("aside-leader", failures.the_lead_in_other_hands, ("AsideNoRelayLeader", "AsideHeartbeatMissing")),
    Failure("aside-leader", failures.a_locked_table, (), ("AsideLoadsSlow", "AsideConnectionsExhausted", "AsideSlow")),
    Failure("aside-audit", failures.a_stale_entry, ("AsideStaleEntry",)),
    Failure("aside-audit", failures.long_transactions, (), ("AsideRelayLagging",)),
    Failure("aside-schema", failures.a_job_that_nobody_can_do, ("AsideJobFailed",)),
    Failure("aside-schema", failures.an_older_schema, (), ("AsideSchemaBehind",)),
    Failure("aside-schema", failures.a_command_denied, (), ("AsideAuditStopped",)),
    Failure("aside-small", failures.a_small_redis, (), ("AsideRedisEvicting", "AsideHitRatioCollapsed")),
]


_IN_SHORT = {
    failures.one_replica_killed: "aside-fleet",
    failures.redis_frozen: "aside-redis",
    failures.a_full_redis: "aside-redis",
    failures.postgresql_killed: "aside-postgres",
    failures.the_lead_in_other_hands: "aside-leader",
    failures.a_stale_entry: "aside-fleet",
}
SHORT = [
    replace(failure, job=_IN_SHORT[failure.failing], later=()) for failure in FAILURES if failure.failing in _IN_SHORT
]
"""Those that most need an alert, on fewer Asides, without the alerts that take long."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds from the failure until the alert fired, and from its end until it did not any more."""

    alert: str
    job: str
    failure: str
    fired_after: float
    ended_after: float
    annotations: Mapping[str, str]


class Watch:
    """Looks at Prometheus's alerts all the time; ``tell`` hears of each that begins or ends to fire."""

    def __init__(self, server: Prometheus, tell: Callable[[str], None]) -> None:
        self._server = server
        self._tell = tell
        self.firing: dict[tuple[str, str], Alert] = {}
        self._fired_at = time.monotonic()

    @property
    def calm_seconds(self) -> float:
        """Since when nothing has fired."""
        return time.monotonic() - self._fired_at

    def fires(self, alert: str, job: str) -> bool:
        return (alert, job) in self.firing

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            before = self.firing
            self.firing = {(each.name, each.job): each for each in await self._server.alerts() if each.is_firing}
            if self.firing:
                self._fired_at = time.monotonic()
            for name, job in sorted(self.firing.keys() ^ before.keys()):
                self._tell(f"{name} of {job} {'fires' if (name, job) in self.firing else 'ends'}")
            await asyncio.sleep(SCRAPE_SECONDS / 2)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs: to be asked while it does."""

    server: Prometheus
    asides: Mapping[str, Aside]
    watch: Watch


@asynccontextmanager
async def opened(
    planned: Sequence[Failure], mint: DatabaseMint, *, factor: float, tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Stage]:
    """The Asides of these failures under load, and a Prometheus that scrapes them.

    Every duration of its rules is ``factor`` times shorter: by 30, a minute is two seconds. ``mint`` makes the
    databases of those who do not break their server.
    """
    jobs = list(dict.fromkeys(failure.job for failure in planned))
    rules = {path.name: scaled(path.read_text(), factor) for path in RULES}
    async with open_stage(jobs, mint) as asides:
        targets = {
            job: [replica.url.removeprefix("http://") for replica in aside.replicas] for job, aside in asides.items()
        }
        with prometheus(targets, rules) as url:
            server = Prometheus(url)
            await eventually(server.is_ready, within_seconds=30)
            watch = Watch(server, tell)
            try:
                async with watch.watching():
                    yield Stage(server, asides, watch)
            finally:
                await server.close()


async def run(stage: Stage, planned: Sequence[Failure], *, calm_seconds: float) -> list[Seen]:
    """All of them; at the same time for different jobs. Before, for so long, and in the end, nothing fires."""
    await eventually(lambda: stage.watch.calm_seconds > calm_seconds, within_seconds=_LONGEST_SECONDS)
    by_job: dict[str, list[Failure]] = {}
    for failure in planned:
        by_job.setdefault(failure.job, []).append(failure)
    seen = await asyncio.gather(*[_one_after_the_other(stage, each) for each in by_job.values()])
    await eventually(lambda: not stage.watch.firing, within_seconds=_LONGEST_SECONDS)
    return [each for some in seen for each in some]


async def _one_after_the_other(stage: Stage, planned: Sequence[Failure]) -> list[Seen]:
    """The next failure comes when the one before is mended: its own alerts may still be about to end."""
    ending = [task for failure in planned for task in await _cause(stage, failure)]
    return await asyncio.gather(*ending)


async def _cause(stage: Stage, failure: Failure) -> list[asyncio.Task[Seen]]:
    """Cause it, see its alerts fire, mend it; returns what waits for their ends."""
    wanted = (*failure.alerts, *failure.later)
    for alert in wanted:
        await _until(stage.watch, alert, failure.job, fires=False)
    began = time.monotonic()
    async with failure.failing(stage.asides[failure.job]):
        fired = await asyncio.gather(*[_until(stage.watch, alert, failure.job, fires=True) for alert in wanted])
        told = [stage.watch.firing[alert, failure.job].annotations for alert in wanted]
    mended = time.monotonic()

    async def end(alert: str, fired_at: float, annotations: Mapping[str, str]) -> Seen:
        ended = await _until(stage.watch, alert, failure.job, fires=False)
        return Seen(alert, failure.job, failure.failing.__name__, fired_at - began, ended - mended, annotations)

    return [asyncio.create_task(end(*each)) for each in zip(wanted, fired, told, strict=True)]


async def _until(watch: Watch, alert: str, job: str, *, fires: bool) -> float:
    """When this alert was first seen so, in monotonic seconds."""
    try:
        await eventually(lambda: watch.fires(alert, job) is fires, within_seconds=_LONGEST_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{alert} of {job} did not {'fire' if fires else 'end'}") from error
    return time.monotonic()
