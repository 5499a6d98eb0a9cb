"""The client's end: asyncpg's connection, and the engine that `service.db.lending` takes it from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from asyncpg.connection import _ConnectionProxy

from service.breaker import Breaker
from service.db.pool import Database, lending_of
from service.db.share import Share
from tests.simulation.network import Channel, Link, open_channel
from tests.simulation.pg_server import PostgresServer


class PgWire(_ConnectionProxy):  # type: ignore[misc]
    """One operation at a time, as asyncpg does it; each bounded by ``timeout`` seconds."""

    def __init__(self, channel: Channel, timeout: float) -> None:
        self._channel = channel
        self._loop = channel.link.loop
        self._timeout = timeout
        self._number = 0
        self._is_busy = False

    def is_closed(self) -> bool:
        return self._channel.is_closed or self._channel.is_broken

    def is_in_transaction(self) -> bool:
        return False

    def terminate(self) -> None:
        self._channel.close()

    async def fetch(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        channel = self._channel
        if channel.is_closed or channel.is_broken:
            raise asyncpg.InterfaceError("connection is closed")
        if self._is_busy:
            raise asyncpg.InterfaceError("cannot perform operation: another operation is in progress")
        self._is_busy = True
        self._number += 1
        channel.send((self._number, statement, args))
        timer = self._loop.call_later(self._timeout, self._time_out, self._number)
        try:
            return await self._answer(self._number)
        finally:
            timer.cancel()
            self._is_busy = False

    async def _answer(self, number: int) -> list[dict[str, Any]]:
        channel = self._channel
        while True:
            while channel.inbox:
                answered, answer = channel.inbox.popleft()
                if isinstance(answer, Exception):
                    if answered == 0:
                        channel.close()
                    raise answer
                if answered == number:
                    return answer
            if channel.is_broken:
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
            channel.waiter = self._loop.create_future()
            await channel.waiter

    def _time_out(self, number: int) -> None:
        waiter = self._channel.waiter
        if self._is_busy and self._number == number and waiter is not None and not waiter.done():
            waiter.set_exception(TimeoutError())

    async def fetchrow(self, statement: str, *args: Any) -> dict[str, Any] | None:
        records = await self.fetch(statement, *args)
        return records[0] if records else None

    async def fetchval(self, statement: str, *args: Any) -> Any:
        records = await self.fetch(statement, *args)
        return next(iter(records[0].values())) if records else None

    async def execute(self, statement: str, *args: Any) -> str:
        await self.fetch(statement, *args)
        return "OK"


class Engine:
    """What SQLAlchemy's engine does for `service.db.lending`: it opens connections, and lets go of them."""

    def __init__(self, create: Callable[[], Awaitable[PgWire]]) -> None:
        self.create = create

    async def connect(self) -> PooledConnection:
        return PooledConnection(self)

    async def dispose(self) -> None:
        """Nothing lies here: who comes back is closed."""


class PooledConnection:
    """See `sqlalchemy.ext.asyncio.AsyncConnection`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.driver_connection: PgWire | None = None

    async def get_raw_connection(self) -> PooledConnection:
        if self.driver_connection is None:
            self.driver_connection = await self._engine.create()
        return self

    async def invalidate(self) -> None:
        if self.driver_connection is not None:
            self.driver_connection.terminate()
            self.driver_connection = None

    async def close(self) -> None:
        await self.invalidate()


class SimulatedDatabase(Database):
    """The real one, but for how a connection comes about."""

    def __init__(
        self, link: Link, server: PostgresServer, *, load_connections: int, write_connections: int,
        connect_timeout_seconds: float, statement_timeout_seconds: float,
    ) -> None:  # fmt: skip
        self.link = link
        self._server = server
        self._connect_timeout = connect_timeout_seconds
        self._statement_timeout = statement_timeout_seconds
        engine: Any = Engine(self._create)
        self._lending = lending_of(
            engine, load_connections + write_connections + 1, timeout_seconds=statement_timeout_seconds
        )
        self._writers = Share(write_connections, work="write", plural="writes")
        self._browsers = Share(1, work="bulk", plural="lists")
        self._breaker = Breaker()
        self._probe = None
        self._closed = False
        self._opened = 0

    async def _create(self) -> Any:
        self._opened += 1
        async with asyncio.timeout(self._connect_timeout):
            channel = await open_channel(self.link, self._server, f"pg{self._opened}")
        if channel is None:
            raise ConnectionRefusedError("nobody listens")
        return PgWire(channel, self._statement_timeout + 0.25)
