"""One replica of the service inside the test's process: the graph that `service.wiring` opens, with gates in its seams.

No background task moves it: its pulse beats when a test says so, and the relay is a test's own (`hand_relay`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from service import parts
from service.cache.entry import NO_WISH, Answer, Wish
from service.cache.policy import Policy
from service.cache.redis_store import RedisStore
from service.cache.tasks import Tasks
from service.db.ledger import LedgerTable
from service.db.repeats import RepeatTable
from service.domain.batch import Verb, Write
from service.domain.entity import ALWAYS, EntityKey, WriteCondition
from service.domain.repeatable import Repeatable
from service.errors import CacheUnavailableError
from service.services.entities import Entities, Written
from service.services.loading import BatchedLedger, SourceLoader
from service.services.repeats import Repeats
from service.settings import DatabaseSettings, RedisSettings, Settings
from tests.support.gates import Gates
from tests.support.glancing import get_by_glance
from tests.support.recording import Recording
from tests.support.seams import GatedBatches, GatedSource, GatedStore, GatedTable

KIND = "thing"


def replica_settings(database_url: str, redis_url: str, *, bound_seconds: float, **redis: Any) -> Settings:
    """Patient with servers, as a busy machine must not decide a race; impatient with leases, to be quick."""
    patience = {"operation_timeout_seconds": 5.0, "request_budget_seconds": 8.0, "lease_wait_seconds": 0.02}
    settings = Settings(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        bound_seconds=bound_seconds,
        database=DatabaseSettings(statement_timeout_seconds=10, connect_timeout_seconds=10),
        redis=RedisSettings(lease_seconds=10),
    )
    return settings.model_copy(update={"redis": settings.redis.model_copy(update={**patience, **redis})})


class Replica:
    """A document `{"n": number}` under the id `x` is all that most races need: `put(1)`, `read()`."""

    def __init__(
        self, entities: Entities, *, store: GatedStore, redis: RedisStore, source: GatedSource, table: GatedTable,
        tasks: Tasks, recorder: Recording, is_carried: bool,
    ) -> None:  # fmt: skip
        self.entities = entities
        self._is_carried = is_carried
        self.store = store
        self.redis = redis
        self.source = source
        self.table = table
        self.gates = table.gates
        self.recorder = recorder
        self._tasks = tasks

    async def get(self, entity_id: str = "x", *, wish: Wish = NO_WISH) -> Answer:
        key = EntityKey(KIND, entity_id)
        is_plain = wish is NO_WISH and self._is_carried
        return await (get_by_glance(self.entities, key) if is_plain else self.entities.get(key, wish))

    async def read(self, entity_id: str = "x") -> int | None:
        """The number in the document; None where there is none."""
        answer = await self.get(entity_id)
        return None if answer.body is None else json.loads(answer.body)["n"]

    async def put(
        self, number: int, entity_id: str = "x", *, condition: WriteCondition = ALWAYS, wait: bool = True,
        repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        document = json.dumps({"n": number}).encode()
        key = EntityKey(KIND, entity_id)
        return await self.entities.put(
            key, document, condition=condition, ttl_seconds=None, wait=wait, repeatable=repeatable
        )

    async def delete(self, entity_id: str = "x", *, wait: bool = True) -> Written:
        return await self.entities.delete(EntityKey(KIND, entity_id), condition=ALWAYS, wait=wait)

    async def put_all(self, *, repeatable: Repeatable | None = None, **numbers: int) -> list[Written]:
        """A batch: `put_all(x=1, y=2)`, in this order."""
        return await self.entities.write_batch(
            [Write(Verb.PUT, EntityKey(KIND, name), json.dumps({"n": number})) for name, number in numbers.items()],
            wait=True,
            repeatable=repeatable,
        )

    def begin_put_all(self, *, repeatable: Repeatable | None = None, **numbers: int) -> asyncio.Task[list[Written]]:
        return asyncio.create_task(self.put_all(repeatable=repeatable, **numbers))

    def begin_read(self, entity_id: str = "x") -> asyncio.Task[int | None]:
        """A reader that a gate may stop."""
        return asyncio.create_task(self.read(entity_id))

    def begin_put(
        self, number: int, entity_id: str = "x", *, wait: bool = True, repeatable: Repeatable | None = None
    ) -> asyncio.Task[Written]:
        return asyncio.create_task(self.put(number, entity_id, wait=wait, repeatable=repeatable))

    def begin_delete(self, entity_id: str = "x") -> asyncio.Task[Written]:
        return asyncio.create_task(self.delete(entity_id))

    async def beat(self) -> None:
        """One look of the pulse at Redis: the clock, and whether an outage is over."""
        await self.redis.pulse.beat()

    async def settle_down(self) -> None:
        """Wait until nothing goes on in the background."""
        await self._tasks.close(grace_seconds=10)

    def crash(self) -> None:
        """The process is gone: nothing that it had under way goes on."""
        self.store.dead = True
        for task in list(self._tasks._running):
            task.cancel()


@asynccontextmanager
async def open_replica(settings: Settings, *, policy: Policy, is_carried: bool = True) -> AsyncIterator[Replica]:
    """As `service.wiring.open_services`, without relay and pulse. ``is_carried``: plain reads are, by callbacks."""
    gates, recorder, tasks = Gates(), Recording(), Tasks()
    async with AsyncExitStack() as stack:
        database = parts.build_database(settings)
        stack.push_async_callback(database.close)
        redis = parts.build_store(settings, recorder)
        stack.push_async_callback(redis.close)
        table = GatedTable(database, max_body_bytes=settings.limits.body_bytes)
        table.gates = gates
        source, store = GatedSource(table, gates), GatedStore(redis, gates)
        loader = SourceLoader(
            source,
            recorder,
            in_flight=settings.database.load_connections,
            batch_size=settings.database.load_batch_size,
            timeout_seconds=settings.database.statement_timeout_seconds,
        )
        stack.push_async_callback(loader.close)
        stack.push_async_callback(lambda: tasks.close(grace_seconds=5))
        stack.callback(gates.release)
        engine = parts.build_engine(
            settings,
            store=store,
            loader=loader,
            ledger=BatchedLedger(LedgerTable(database)),
            tasks=tasks,
            recorder=recorder,
        )
        batches = GatedBatches(database, max_body_bytes=settings.limits.body_bytes)
        batches.gates = gates
        repeats = Repeats(engine, RepeatTable(database), tasks)
        entities = Entities(engine, table, tasks, recorder, lambda _: policy, batches=batches, repeats=repeats)
        replica = Replica(
            entities, store=store, redis=redis, source=source, table=table, tasks=tasks, recorder=recorder,
            is_carried=is_carried,
        )  # fmt: skip
        await replica.beat()
        with suppress(CacheUnavailableError):
            await redis.read(f"{KIND}:warm-up")  # it has seen a heartbeat, and knows the generation
        recorder.events.clear()
        yield replica
