"""Relays on a database and a Redis of a test, as replicas would run them, or one poll at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from service.cache.grants import Granted, Granter
from service.cache.lane import connector
from service.db.changes import RelaySession
from service.db.pool import Database
from service.services.relay import Reign, Relay
from tests.support.recording import Recording

BOUND_SECONDS = 0.6


def database_of(url: str) -> Database:
    return Database(
        url, load_connections=1, write_connections=1, spare_connections=1, connect_timeout_seconds=2.0,
        statement_timeout_seconds=2.0,
    )  # fmt: skip


@dataclass(slots=True)
class Runner:
    """One replica's relay, and what it recorded."""

    relay: Relay
    recording: Recording


@asynccontextmanager
async def running_relays(database_url: str, redis_url: str, count: int = 1) -> AsyncIterator[list[Runner]]:
    async with AsyncExitStack() as stack:
        runners = []
        for _ in range(count):
            database, recording = database_of(database_url), Recording()
            stack.push_async_callback(database.close)
            relay = Relay(
                database,
                Granter(connector(redis_url), recording, timeout_seconds=0.2),
                recording,
                bound_seconds=BOUND_SECONDS,
                poll_seconds=0.02,
                page_size=100,
                change_retention_seconds=60,
                tombstone_retention_seconds=60,
            )
            stack.push_async_callback(relay.stop)
            relay.start()
            runners.append(Runner(relay, recording))
        yield runners


@dataclass(slots=True)
class ByHand:
    """A reign that polls when it is told to."""

    reign: Reign
    session: RelaySession
    granter: Granter
    recording: Recording

    async def carry(self) -> None:
        """One poll, which must grant."""
        assert await self.reign.poll() is Granted.GRANTED


@asynccontextmanager
async def reigning(database_url: str, redis_url: str, *, page_size: int = 100) -> AsyncIterator[ByHand]:
    async with AsyncExitStack() as stack:
        database, recording = database_of(database_url), Recording()
        stack.push_async_callback(database.close)
        granter = Granter(connector(redis_url), recording, timeout_seconds=2.0)
        stack.push_async_callback(granter.close)
        session = await RelaySession.lead(database, idle_seconds=60)
        assert session is not None, "another relay leads"
        stack.callback(session.close)
        reign = Reign(
            session, granter, recording, term=await session.new_term(), bound_seconds=BOUND_SECONDS,
            page_size=page_size,
        )  # fmt: skip
        yield ByHand(reign, session, granter, recording)
