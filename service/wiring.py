"""Opens the object graph and closes it again, in one place. Nothing here waits for a server: all may be away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from service.cache.engine import Engine
from service.cache.grants import Granter
from service.cache.lane import connector
from service.cache.loads import Loads
from service.cache.missing import Missing
from service.cache.policy import Policy
from service.cache.probe import Probe
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore
from service.cache.refreshing import Refresher
from service.cache.served import Served
from service.cache.settling import Settler
from service.cache.store import Ledger, Loader, Store
from service.cache.tasks import Tasks
from service.cache.warming import PageLane
from service.db.changes import read_history
from service.db.entities import EntityTable
from service.db.ledger import LedgerTable
from service.db.listing import EntityListing
from service.db.parameter_history import ParameterHistory
from service.db.parameters import ParameterTable
from service.db.policies import PolicyTable
from service.db.pool import Database
from service.domain.parameter import PARAMETER
from service.schemas import SchemaChecker
from service.services.audit import Audit
from service.services.cache_state import CacheState
from service.services.entities import Entities
from service.services.health import Health
from service.services.loading import BatchedLedger, SourceLoader
from service.services.parameters import Parameters
from service.services.policies import Policies
from service.services.relay import Relay
from service.services.schema import migrate_when_reachable
from service.services.steering import Steering
from service.services.vitals import Vitals
from service.services.warming import PAGE_SIZE, Warming
from service.services.writing import Writer
from service.settings import Settings
from service.steering import open_hot_keys, open_steering

_PAGES_IN_FLIGHT = 3
"""Of a warming: one is leased, one is read, one is filled."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the HTTP layer may use."""

    entities: Entities
    parameters: Parameters
    health: Health
    cache: CacheState
    policies: Policies
    steering: Steering


@asynccontextmanager
async def open_services(settings: Settings, recorder: Recorder) -> AsyncIterator[Services]:
    """The services of one process. Closing lets work under way finish, then stops the relay, then closes the rest."""
    async with AsyncExitStack() as stack:
        database = _database(settings)
        stack.push_async_callback(database.close)
        store = _store(settings, recorder)
        stack.push_async_callback(store.close)
        loader = SourceLoader(
            table := EntityTable(database, max_body_bytes=settings.limits.body_bytes),
            recorder,
            in_flight=settings.database.load_connections,
            batch_size=settings.database.load_batch_size,
            timeout_seconds=settings.database.statement_timeout_seconds,
            sources={PARAMETER: (parameter_table := ParameterTable(database))},
        )
        stack.push_async_callback(loader.close)
        ledger = BatchedLedger(LedgerTable(database))
        stack.push_async_callback(ledger.close)
        checker = SchemaChecker(
            limit_seconds=settings.parameters.schema_check_seconds,
            wait_seconds=settings.database.statement_timeout_seconds,
        )
        stack.push_async_callback(checker.close)
        policies = build_policies(settings, database)
        stack.push_async_callback(policies.stop)
        relay = _relay(settings, database, recorder, store.expect_history)
        hot_keys = open_hot_keys(database)
        stack.push_async_callback(relay.stop)
        served = Served()
        probe = Probe(store, recorder)
        audit = Audit(
            probe,
            store,
            lambda entity_type: parameter_table if entity_type == PARAMETER else table,
            recorder,
            served=served,
            is_database_available=lambda: database.available,
            bound_seconds=settings.bound_seconds,
            samples_per_second=settings.audit.samples_per_second,
            give_up_seconds=min(10 * settings.bound_seconds, settings.relay.tombstone_retention_seconds / 2),
        )
        stack.push_async_callback(audit.stop)
        health = Health(database, store.pulse, relay, serves_stale=policies.serve_stale)
        vitals = Vitals(
            recorder,
            database=database,
            loader=loader,
            pulse=store.pulse,
            probe=probe,
            relay=relay,
            audit=audit,
            health=health,
        )
        stack.push_async_callback(vitals.stop)
        tasks = Tasks()
        stack.push_async_callback(lambda: tasks.close(grace_seconds=settings.bound_seconds + 1))
        engine = build_engine(
            settings,
            store=store,
            loader=loader,
            ledger=ledger,
            tasks=tasks,
            recorder=recorder,
            on_hit=hot_keys.beside(served.note),
        )

        store.pulse.start()
        relay.start()
        audit.start()
        policies.start()
        vitals.start()
        if settings.migrate_on_start:
            await _migrate_in_background(settings, database, stack)
        steering = await stack.enter_async_context(
            open_steering(
                settings,
                database=database,
                store=store,
                recorder=recorder,
                warming=build_warming(
                    settings,
                    store=store,
                    database=database,
                    recorder=recorder,
                    policy_of=policies.of,
                    pages_in_flight=1,
                    page_size=50,
                ),
                hot_keys=hot_keys,
                policy_of=policies.of,
            )
        )
        relay.on_emptied = steering.occasions.emptied
        health.waits_for = lambda: steering.occasions.waits_for
        yield Services(
            Entities(engine, table, tasks, recorder, policies.of),
            Parameters(
                engine,
                parameter_table,
                history=ParameterHistory(database),
                checker=checker,
                writer=Writer(engine, tasks, recorder, policies.of),
                policy_of=policies.of,
            ),
            health,
            CacheState(store.pulse, relay, probe, audit, database, bound_seconds=settings.bound_seconds),
            policies,
            steering,
        )


@asynccontextmanager
async def open_warming(settings: Settings, recorder: Recorder) -> AsyncIterator[Warming]:
    """Warming in a process of its own, beside the services: two connections to PostgreSQL at the most.

    Raises UnavailableError where PostgreSQL does not answer, or is a standby, whose rows may be old.
    """
    async with AsyncExitStack() as stack:
        database = Database(
            settings.database_url.get_secret_value(),
            load_connections=1,
            write_connections=1,
            spare_connections=0,
            connect_timeout_seconds=settings.database.connect_timeout_seconds,
            statement_timeout_seconds=settings.database.statement_timeout_seconds,
        )
        stack.push_async_callback(database.close)
        one_lane = settings.redis.model_copy(update={"lanes": 1})
        store = _store(settings.model_copy(update={"redis": one_lane}), recorder)
        stack.push_async_callback(store.close)
        # Rows go only to a cache whose heartbeat is of their own history: it may be another database's by mistake.
        store.expect_history(await read_history(database))
        await store.pulse.beat()  # Redis's clock
        store.pulse.start()
        policies = build_policies(settings, database)
        await policies.load()  # what is warmed lives as long as what services load
        yield build_warming(settings, store=store, database=database, recorder=recorder, policy_of=policies.of)


def build_warming(
    settings: Settings, *, store: RedisStore, database: Database, recorder: Recorder,
    policy_of: Callable[[str], Policy], pages_in_flight: int = _PAGES_IN_FLIGHT, page_size: int = PAGE_SIZE,
) -> Warming:  # fmt: skip
    """Warming over any store and database; it takes one connection at a time, which no load should wait for.

    In a process that also serves, a page in flight is enough, and a smaller one: its rows hold up the loop together.
    """
    table = EntityTable(database, max_body_bytes=settings.limits.body_bytes)
    parameter_table = ParameterTable(database)
    # A lease outlives the turns that its page may have to wait for, the query and the fill.
    patience = _PAGES_IN_FLIGHT * settings.database.statement_timeout_seconds + 1
    lease_ms = round(1000 * max(settings.redis.lease_seconds, patience))
    return Warming(
        [PageLane(store, recorder, lease_ms=lease_ms) for _ in range(pages_in_flight)],
        store,
        EntityListing(database),
        lambda entity_type: parameter_table if entity_type == PARAMETER else table,
        policy_of,
        page_size=page_size,
    )


def build_engine(
    settings: Settings, *, store: Store, loader: Loader, ledger: Ledger, tasks: Tasks, recorder: Recorder,
    on_hit: Callable[[str], int] | None = None,
) -> Engine:  # fmt: skip
    """The engine over any store, loader and ledger."""
    loads = Loads(store, loader)
    settler = Settler(store, ledger, bound_seconds=settings.bound_seconds)
    refresher = Refresher(store, loads, tasks, recorder)
    missing = Missing(
        store,
        loads=loads,
        settler=settler,
        refresher=refresher,
        tasks=tasks,
        recorder=recorder,
        lease_wait_seconds=settings.redis.lease_wait_seconds,
    )
    return Engine(
        store,
        loads=loads,
        settler=settler,
        missing=missing,
        refresher=refresher,
        tasks=tasks,
        recorder=recorder,
        budget_seconds=settings.redis.request_budget_seconds,
        on_hit=on_hit,
    )


def build_policies(settings: Settings, database: Database) -> Policies:
    """The policies of the settings, until the stored ones are known."""
    return Policies(
        PolicyTable(database),
        default=settings.default_policy.to_policy(),
        of_settings={entity_type: policy.to_policy() for entity_type, policy in settings.own_policies.items()},
        bound_seconds=settings.bound_seconds,
        longest_seconds=settings.relay.tombstone_retention_seconds,
    )


def most_connections(settings: Settings) -> int:
    """To PostgreSQL, of one process that serves: those of its pool, and the session of the relay."""
    return _database(settings).size + 1


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url.get_secret_value(),
        load_connections=settings.database.load_connections,
        write_connections=settings.database.write_connections,
        browse_connections=settings.database.browse_connections,
        # The audit takes one at a time, so do a warming, the claims and checkpoints of jobs, and what follows policies.
        spare_connections=6 + (settings.audit.samples_per_second > 0),
        connect_timeout_seconds=settings.database.connect_timeout_seconds,
        statement_timeout_seconds=settings.database.statement_timeout_seconds,
    )


def _store(settings: Settings, recorder: Recorder) -> RedisStore:
    return RedisStore(
        connector(settings.redis_url.get_secret_value()),
        recorder,
        timeout_seconds=settings.redis.operation_timeout_seconds,
        lease_ms=round(settings.redis.lease_seconds * 1000),
        lanes=settings.redis.lanes,
        fails_over=settings.redis.fails_over,
        bound_seconds=settings.bound_seconds,
    )


def _relay(settings: Settings, database: Database, recorder: Recorder, on_history: Callable[[str], None]) -> Relay:
    granter = Granter(
        connector(settings.redis_url.get_secret_value(), client_name="aside-relay"),
        recorder,
        timeout_seconds=settings.redis.operation_timeout_seconds,
        reopen_seconds=2 * settings.bound_seconds if settings.redis.fails_over else None,
    )
    return Relay(
        database,
        granter,
        recorder,
        bound_seconds=settings.bound_seconds,
        poll_seconds=settings.relay.poll_seconds,
        page_size=settings.relay.page_size,
        change_retention_seconds=settings.relay.change_retention_seconds,
        tombstone_retention_seconds=settings.relay.tombstone_retention_seconds,
        parameter_history_seconds=settings.parameters.history_retention_seconds,
        on_history=on_history,
    )


async def _migrate_in_background(settings: Settings, database: Database, stack: AsyncExitStack) -> None:
    url = settings.database_url.get_secret_value()
    task = asyncio.create_task(migrate_when_reachable(url, database, with_example=settings.example_entity))

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
