"""Opens what people steer the cache by: jobs and who does them, hot keys, purging, explaining. A part of the wiring."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from service.cache.looking import Looker
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore
from service.cache.sweeping import SweepLane
from service.db.epochs import Epochs
from service.db.hot_keys import HotKeyTable
from service.db.jobs import JobTable
from service.db.pool import Database
from service.domain.job import JobKind
from service.domain.warm_wanted import WarmWanted
from service.services.explaining import Explaining
from service.services.hot_keys import HotKeys
from service.services.jobs import JobRunner
from service.services.occasions import Occasions
from service.services.purging import Purging
from service.services.steering import Steering
from service.services.warm_jobs import WarmJobs
from service.services.warming import Warming
from service.services.warming_apart import WarmingApart
from service.settings import Settings, WarmingSettings

WARMING_PROCESS = "service.warming_process"


@asynccontextmanager
async def open_steering(
    settings: Settings, *, database: Database, store: RedisStore, recorder: Recorder, warming: Warming,
    hot_keys: HotKeys, policy_of: Callable[[str], Policy],
) -> AsyncIterator[Steering]:  # fmt: skip
    """Jobs are done as long as it is open; then they are given back."""
    table = JobTable(database)
    purging = Purging(SweepLane(store, recorder), Epochs(database), bound_seconds=settings.bound_seconds)
    apart = WarmingApart(settings, module=WARMING_PROCESS)
    warm_jobs = WarmJobs(warming, apart, hot_keys, rows_per_second=settings.warming.rows_per_second)
    runner = JobRunner(table, {JobKind.WARM: warm_jobs, JobKind.PURGE: purging}, recorder, name=new_name())
    occasions = Occasions(
        table,
        runner,
        hot_keys,
        at_start=_wanted(settings.warming, settings.warming.at_start),
        when_empty=_wanted(settings.warming, settings.warming.when_empty),
        ready_waits_seconds=settings.warming.ready_waits_seconds,
    )
    async with AsyncExitStack() as stack:
        hot_keys.start()
        stack.push_async_callback(hot_keys.stop)
        runner.start()
        stack.push_async_callback(runner.stop)
        occasions.started()
        stack.push_async_callback(occasions.stop)
        yield Steering(
            table=table,
            runner=runner,
            hot_keys=hot_keys,
            purging=purging,
            explaining=Explaining(Looker(store, recorder), database, policy_of, now_ms=store.now_ms),
            occasions=occasions,
        )


def open_hot_keys(database: Database) -> HotKeys:
    """Of this process."""
    return HotKeys(HotKeyTable(database), replica=new_name())


def new_name() -> str:
    """Tells this process from all others that there ever are."""
    return uuid.uuid4().hex[:16]


def _wanted(settings: WarmingSettings, what: str) -> WarmWanted | None:
    if what == "hot":
        return WarmWanted(hot=settings.hot_keys)
    return WarmWanted(entity_types=settings.entity_types) if what == "everything" else None
