"""Single parts of the object graph, as the settings want them. What is opened, and in which order, is `wiring`'s."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from service.addresses import Address
from service.cache.carried import Carrier
from service.cache.engine import Engine
from service.cache.grants import Granter
from service.cache.lane import connector
from service.cache.loads import Loads
from service.cache.missing import Missing
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.redis_store import RedisStore
from service.cache.refreshing import Refresher
from service.cache.settling import Settler
from service.cache.store import Ledger, Loader, Store
from service.cache.tasks import Tasks
from service.cache.warming import PageLane
from service.db.changes import read_history
from service.db.entities import EntityTable
from service.db.feed import FeedTable
from service.db.hot_keys import HotKeyTable
from service.db.listing import EntityListing
from service.db.parameters import ParameterTable
from service.db.policies import PolicyTable
from service.db.pool import Database
from service.domain.absences import AbsenceBudget
from service.domain.parameter import PARAMETER
from service.services.feed import Feed
from service.services.manners import ALONE, Manner
from service.services.policies import Policies
from service.services.rate_limits import RateLimits
from service.services.rate_totals import RedisTotals
from service.services.relay import Relay
from service.services.warming import Warming
from service.settings import Settings


@asynccontextmanager
async def open_warming(
    settings: Settings, recorder: Recorder, *, manner: Manner = ALONE
) -> AsyncIterator[tuple[Warming, HotKeyTable]]:
    """Warming in a process of its own, beside the services, and what these know to be hot: two connections to
    PostgreSQL at the most.

    Raises UnavailableError where PostgreSQL does not answer, or is a standby, whose rows may be old.
    """
    async with AsyncExitStack() as stack:
        database = Database(
            _current(settings.database_address),
            load_connections=1,
            write_connections=1,
            spare_connections=0,
            connect_timeout_seconds=settings.database.connect_timeout_seconds,
            statement_timeout_seconds=settings.database.statement_timeout_seconds,
        )
        stack.push_async_callback(database.close)
        one_lane = settings.redis.model_copy(update={"lanes": 1})
        store = build_store(settings.model_copy(update={"redis": one_lane}), recorder)
        stack.push_async_callback(store.close)
        # Rows go only to a cache whose heartbeat is of their own history: it may be another database's by mistake.
        store.expect_history(await read_history(database))
        await store.pulse.beat()  # Redis's clock
        store.pulse.start()
        policies = build_policies(settings, database)
        await policies.load()  # what is warmed lives as long as what services load
        warming = build_warming(
            settings, store=store, database=database, recorder=recorder, policy_of=policies.of, manner=manner
        )
        yield warming, HotKeyTable(database)


def build_warming(
    settings: Settings, *, store: RedisStore, database: Database, recorder: Recorder,
    policy_of: Callable[[str], Policy], manner: Manner,
) -> Warming:  # fmt: skip
    """Warming over any store and database; it takes one connection at a time, which no load should wait for."""
    table = EntityTable(database, max_body_bytes=settings.limits.body_bytes)
    parameter_table = ParameterTable(database)
    # A lease outlives the turns that its page may have to wait for, the query and the fill.
    patience = ALONE.pages_in_flight * settings.database.statement_timeout_seconds + 1
    lease_ms = round(1000 * max(settings.redis.lease_seconds, patience))
    return Warming(
        [PageLane(store, recorder, lease_ms=lease_ms) for _ in range(manner.pages_in_flight)],
        store,
        EntityListing(database),
        lambda entity_type: parameter_table if entity_type == PARAMETER else table,
        policy_of,
        manner=manner,
    )


def build_engine(
    settings: Settings, *, store: Store, loader: Loader, ledger: Ledger, tasks: Tasks, recorder: Recorder,
    on_hit: Callable[[str], int] | None = None, make: Callable[..., Engine] = Engine,
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
        absences=AbsenceBudget(settings.limits.absent_per_second),
    )
    budget_seconds = settings.redis.request_budget_seconds
    carrier = Carrier(
        store, loads=loads, missing=missing, tasks=tasks, recorder=recorder, budget_seconds=budget_seconds
    )
    return make(
        store,
        loads=loads,
        settler=settler,
        missing=missing,
        carrier=carrier,
        refresher=refresher,
        tasks=tasks,
        recorder=recorder,
        budget_seconds=budget_seconds,
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


def _current(address: Address) -> str | Address:
    """The URL itself where nothing can change it: then nobody asks again."""
    return address if address.may_change else address.url


def build_rate_limits(settings: Settings) -> RateLimits | None:
    """None where clients may send as much as they like."""
    limits = settings.limits
    if not limits.requests_per_second:
        return None
    totals = RedisTotals(
        settings.redis_url.get_secret_value(), timeout_seconds=settings.redis.operation_timeout_seconds
    )
    return RateLimits(
        totals,
        rate=limits.requests_per_second,
        burst=limits.burst or max(1.0, 2 * limits.requests_per_second),
        alone_share=limits.alone_share,
    )


@asynccontextmanager
async def open_feed(settings: Settings, database: Database, recorder: Recorder) -> AsyncIterator[Feed]:
    """Its connections are those for lists: one at a time for all streams at the head, and one for each page."""
    feed = Feed(
        FeedTable(database),
        recorder,
        poll_seconds=settings.relay.poll_seconds,
        most_streams=settings.limits.streams,
        heartbeat_seconds=settings.limits.stream_heartbeat_seconds,
        look_seconds=settings.bound_seconds / 4,
    )
    try:
        yield feed
    finally:
        await feed.stop()


def most_connections(settings: Settings) -> int:
    """To PostgreSQL, of one process that serves: those of its pool, and the session of the relay."""
    return build_database(settings).size + 1


def build_database(settings: Settings) -> Database:
    return Database(
        _current(settings.database_address),
        load_connections=settings.database.load_connections,
        write_connections=settings.database.write_connections,
        browse_connections=settings.database.browse_connections,
        # The audit takes one at a time, so do a warming, the claims and checkpoints of jobs, what follows policies, and
        # what follows keys.
        spare_connections=6 + (settings.audit.samples_per_second > 0) + settings.needs_keys,
        connect_timeout_seconds=settings.database.connect_timeout_seconds,
        statement_timeout_seconds=settings.database.statement_timeout_seconds,
    )


def build_store(settings: Settings, recorder: Recorder) -> RedisStore:
    return RedisStore(
        connector(_current(settings.redis_address)),
        recorder,
        timeout_seconds=settings.redis.operation_timeout_seconds,
        lease_ms=round(settings.redis.lease_seconds * 1000),
        lanes=settings.redis.lanes,
        fails_over=settings.redis.fails_over,
        bound_seconds=settings.bound_seconds,
    )


def build_relay(settings: Settings, database: Database, recorder: Recorder, on_history: Callable[[str], None]) -> Relay:
    granter = Granter(
        connector(_current(settings.redis_address), client_name="aside-relay"),
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
        repeat_retention_seconds=settings.idempotency.retention_seconds,
        on_history=on_history,
    )
