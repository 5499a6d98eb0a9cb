"""Opens the object graph and closes it again, in one place. Nothing here waits for a server: all may be away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from service.cache.probe import Probe
from service.cache.recorder import Recorder
from service.cache.served import Served
from service.cache.tasks import Tasks
from service.db.api_keys import ApiKeyTable
from service.db.batches import BatchTable
from service.db.entities import EntityTable
from service.db.ledger import LedgerTable
from service.db.parameter_history import ParameterHistory
from service.db.parameters import ParameterTable
from service.db.pool import Database
from service.db.repeats import RepeatTable
from service.domain.parameter import PARAMETER
from service.domain.shedding import Shedding
from service.parts import (
    build_database,
    build_engine,
    build_policies,
    build_rate_limits,
    build_relay,
    build_store,
    build_warming,
    open_feed,
)
from service.schemas import SchemaChecker
from service.services.access import Access
from service.services.api_keys import ApiKeys
from service.services.audit import Audit
from service.services.cache_state import CacheState
from service.services.entities import Entities
from service.services.feed import Feed
from service.services.health import Health
from service.services.key_uses import KeyUses
from service.services.lag import LoopLag
from service.services.loading import BatchedLedger, SourceLoader
from service.services.manners import BESIDE_REQUESTS
from service.services.parameters import Parameters
from service.services.policies import Policies
from service.services.rate_limits import RateLimits
from service.services.relay import Relay
from service.services.repeats import Repeats
from service.services.schema import migrate_when_reachable
from service.services.steering import Steering
from service.services.vitals import Vitals
from service.services.writing import Writer
from service.settings import Settings
from service.steering import open_hot_keys, open_steering
from service.tracing.seams import PLAIN, Seams


@dataclass(frozen=True, slots=True)
class Services:
    """What the HTTP layer may use. ``access`` is None where nobody is asked for a key, and so is ``keys``."""

    entities: Entities
    parameters: Parameters
    health: Health
    cache: CacheState
    policies: Policies
    steering: Steering
    feed: Feed
    access: Access | None = None
    keys: ApiKeys | None = None
    shedding: Shedding = field(default_factory=Shedding)
    rate_limits: RateLimits | None = None


@asynccontextmanager
async def open_services(settings: Settings, recorder: Recorder, seams: Seams = PLAIN) -> AsyncIterator[Services]:
    """The services of one process. Closing lets work under way finish, then stops the relay, then closes the rest."""
    async with AsyncExitStack() as stack:
        database = build_database(settings)
        stack.push_async_callback(database.close)
        store = build_store(settings, recorder)
        stack.push_async_callback(store.close)
        table = EntityTable(database, max_body_bytes=settings.limits.body_bytes)
        parameter_table = ParameterTable(database)
        shedding = Shedding()
        lag = LoopLag(shedding)
        stack.push_async_callback(lag.stop)
        rate_limits = build_rate_limits(settings)
        if rate_limits is not None:
            stack.push_async_callback(rate_limits.stop)
        loader = SourceLoader(
            seams.source(table),
            recorder,
            in_flight=settings.database.load_connections,
            batch_size=settings.database.load_batch_size,
            timeout_seconds=settings.database.statement_timeout_seconds,
            sources={PARAMETER: seams.source(parameter_table)},
            shedding=shedding,
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
        relay = build_relay(settings, database, recorder, store.expect_history)
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
            policies=policies,
        )
        stack.push_async_callback(vitals.stop)
        tasks = Tasks()
        stack.push_async_callback(lambda: tasks.close(grace_seconds=settings.bound_seconds + 1))
        engine = build_engine(
            settings,
            store=seams.store(store),
            loader=seams.loader(loader),
            ledger=ledger,
            tasks=tasks,
            recorder=seams.recorder(recorder),
            on_hit=hot_keys.beside(served.note),
            make=seams.engine,
        )

        store.pulse.start()
        relay.start()
        audit.start()
        policies.start()
        vitals.start()
        lag.start()
        if rate_limits is not None:
            rate_limits.start()
        if settings.migrate_on_start:
            _migrate_in_background(settings, database, health, relay, stack)
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
                    manner=BESIDE_REQUESTS,
                ),
                hot_keys=hot_keys,
                policy_of=policies.of,
            )
        )
        access, keys = _open_access(settings, database, health, stack)
        relay.on_emptied = steering.occasions.emptied
        health.waits_for = lambda: steering.occasions.waits_for
        yield Services(
            Entities(
                engine,
                table,
                tasks,
                recorder,
                policies.of,
                batches=BatchTable(database, max_body_bytes=settings.limits.body_bytes),
                repeats=Repeats(engine, RepeatTable(database), tasks),
            ),
            Parameters(
                engine,
                parameter_table,
                history=ParameterHistory(database),
                checker=checker,
                writer=Writer(engine, tasks, recorder, policies.of),
                repeats=Repeats(engine, RepeatTable(database), tasks),
                policy_of=policies.of,
            ),
            health,
            CacheState(store.pulse, relay, probe, audit, database, bound_seconds=settings.bound_seconds),
            policies,
            steering,
            await stack.enter_async_context(open_feed(settings, database, recorder)),
            access,
            keys,
            shedding,
            rate_limits,
        )


def _open_access(
    settings: Settings, database: Database, health: Health, stack: AsyncExitStack
) -> tuple[Access, ApiKeys] | tuple[None, None]:
    """Who may ask, and the keys. Until PostgreSQL has told them, the process is not ready, and takes none."""
    if not settings.needs_keys:
        return None, None
    table = ApiKeyTable(database)
    access = Access(table, bound_seconds=settings.bound_seconds, grace_seconds=settings.access.grace_seconds)
    access.following.start()
    stack.push_async_callback(access.following.stop)
    uses = KeyUses(access, table)
    uses.start()
    stack.push_async_callback(uses.stop)
    health.knows_keys = lambda: access.is_known
    return access, ApiKeys(table, access.catch_up)


def _migrate_in_background(
    settings: Settings, database: Database, health: Health, relay: Relay, stack: AsyncExitStack
) -> None:
    url = settings.database_url.get_secret_value()
    task = asyncio.create_task(migrate_when_reachable(url, database, with_example=settings.example_entity))
    task.add_done_callback(lambda _: relay.try_again())
    if settings.example_entity:
        health.is_prepared = task.done

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
