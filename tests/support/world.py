"""A database, a Valkey, and as many replicas and relays around them as a race needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
from redis.asyncio import Redis

from service.cache.policy import Policy, Strategy
from tests.support.hand_relay import HandRelay, hand_relay
from tests.support.proxy import Proxy
from tests.support.replica import KIND, Replica, open_replica, replica_settings
from tests.support.waiting import eventually

LONG_SECONDS = 60.0
"""A bound that no test reaches: a heartbeat lives until the test ends it."""

WRITE_THROUGH = Policy(strategy=Strategy.WRITE_THROUGH)


class World:
    """Everything in it is closed at the end, in reverse order."""

    def __init__(
        self, stack: AsyncExitStack, database_url: str, redis_url: str, *, bound_seconds: float, is_carried: bool
    ) -> None:  # fmt: skip
        self._stack = stack
        self._database_url = database_url
        self.redis_url = redis_url
        self.bound_seconds = bound_seconds
        self._is_carried = is_carried
        self.relay: HandRelay
        self._connection: asyncpg.Connection | None = None

    async def replica(self, *, policy: Policy | None = None, redis_url: str | None = None, **redis: Any) -> Replica:
        """``redis`` are settings of `service.settings.RedisSettings`."""
        settings = replica_settings(
            self._database_url, redis_url or self.redis_url, bound_seconds=self.bound_seconds, **redis
        )
        return await self._stack.enter_async_context(
            open_replica(settings, policy=policy or Policy(), is_carried=self._is_carried)
        )

    async def lead(self, *, redis_url: str | None = None, page_size: int = 100) -> HandRelay:
        """A new relay, in place of the one that led so far, if any did."""
        if hasattr(self, "relay"):
            self.relay.session.close()
            await self._until_led_by_nobody()
        settings = replica_settings(self._database_url, redis_url or self.redis_url, bound_seconds=self.bound_seconds)
        self.relay = await self._stack.enter_async_context(hand_relay(settings, page_size=page_size))
        return self.relay

    async def proxy(self, upstream_url: str | None = None) -> Proxy:
        """A link to Redis that can be cut; see :class:`tests.support.proxy.Proxy`."""
        return await self._stack.enter_async_context(Proxy.open(upstream_url or self.redis_url))

    async def connect(self) -> asyncpg.Connection:
        """Somebody else's session in PostgreSQL."""
        connection = await asyncpg.connect(self._database_url)
        self._stack.callback(connection.terminate)
        return connection

    async def sql(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        """Plain SQL by somebody who knows nothing of the service, committed."""
        if self._connection is None:
            self._connection = await self.connect()
        return await self._connection.fetch(statement, *args)

    async def until_somebody_waits_for_a_lock(self, count: int = 1) -> None:
        """Return once so many sessions of this database wait for somebody else's row or transaction."""

        async def waiting() -> bool:
            [record] = await self.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return bool(record["count"] >= count)

        await eventually(waiting, step_seconds=0.002)

    async def redis(self, *command: str | int, url: str | None = None) -> Any:
        """One command of an operator's at a Redis."""
        async with Redis.from_url(url or self.redis_url, decode_responses=True) as client:
            return await client.execute_command(*command)

    async def cached(self, entity_id: str = "x", *, url: str | None = None) -> str | None:
        """The header of what Redis holds for an id: `V1 7 …`, `N1 …`, `L1 …`; None for nothing."""
        raw = await self.redis("GET", f"cache:{KIND}:{entity_id}", url=url)
        return None if raw is None else raw.partition("\n")[0]

    async def until_no_heartbeat_is_noted(self) -> None:
        """Return once the ledger says that every heartbeat is dead."""

        async def over() -> bool:
            [record] = await self.sql("SELECT granted_until < clock_timestamp() AS over FROM ledger")
            return bool(record["over"])

        await eventually(over)

    async def _until_led_by_nobody(self) -> None:
        watcher = await self.connect()
        await watcher.execute("SELECT pg_advisory_lock($1)", 0x41736965)
        await watcher.close()


@asynccontextmanager
async def open_world(
    database_url: str, redis_url: str, *, bound_seconds: float = LONG_SECONDS, is_carried: bool = True
) -> AsyncIterator[World]:
    """A relay leads and has granted once. ``is_carried``: see `open_replica`."""
    async with AsyncExitStack() as stack:
        world = World(stack, database_url, redis_url, bound_seconds=bound_seconds, is_carried=is_carried)
        await world.lead()
        await world.relay.carry()
        yield world
