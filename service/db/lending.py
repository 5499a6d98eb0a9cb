"""The one pool of PostgreSQL connections.

SQLAlchemy's pool opens them and lets go of them. Between two uses they lie here, as asyncpg connections: to give one
back and to ask for it anew took 30 µs, which is more than a short query does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.db.places import Places
from service.errors import DatabaseBusyError


class _Lent(NamedTuple):
    """A connection, and what SQLAlchemy's pool knows it by."""

    pooled: AsyncConnection
    connection: asyncpg.Connection


def _is_at_rest(connection: asyncpg.Connection) -> bool:
    return not (connection.is_closed() or connection.is_in_transaction())


class Lending:
    """``size`` connections at the most, of an engine whose pool has as many, and ``timeout_seconds`` to wait for one.

    ``is_broken`` judges an error: may the connection that it came from be used again?
    """

    def __init__(
        self, engine: AsyncEngine, size: int, *, timeout_seconds: float, is_broken: Callable[[BaseException], bool]
    ) -> None:
        self.busy = 0
        """Taken at this moment; one that is being opened counts."""
        self._engine = engine
        self._places = Places(size)
        self._timeout_seconds = timeout_seconds
        self._is_broken = is_broken
        self._idle: list[_Lent] = []
        self._returning: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[asyncpg.Connection]:
        """Inside, a connection of the caller's own. Raises DatabaseBusyError, and whatever the driver raises."""
        await self._take_place()
        try:
            lent = await self._lend()
            is_broken = True
            try:
                yield lent.connection
                is_broken = False
            except BaseException as error:
                is_broken = self._is_broken(error) or not _is_at_rest(lent.connection)
                raise
            finally:
                if is_broken or self._closed or lent.connection.is_closed():
                    await self._give_back(lent, is_broken=is_broken)
                else:
                    self._idle.append(lent)
        finally:
            self.busy -= 1
            self._places.give_back()

    async def _take_place(self) -> None:
        try:
            await self._places.take(self._timeout_seconds)
        except TimeoutError as error:
            raise DatabaseBusyError("all database connections are busy") from error
        self.busy += 1

    async def _lend(self) -> _Lent:
        if self._idle:
            lent = self._idle.pop()
            if not lent.connection.is_closed():
                return lent
            await self._give_back(lent, is_broken=True)  # the server went away while it lay here
        pooled = await self._engine.connect()
        try:
            connection = (await pooled.get_raw_connection()).driver_connection
            assert isinstance(connection, asyncpg.Connection)
            if connection.is_closed():  # it was given back in order, and died since
                await pooled.invalidate()
                connection = (await pooled.get_raw_connection()).driver_connection
                assert isinstance(connection, asyncpg.Connection)
        except BaseException:
            await pooled.close()
            raise
        return _Lent(pooled, connection)

    async def _give_back(self, lent: _Lent, *, is_broken: bool) -> None:
        """Whole, although the caller may be cancelled meanwhile: the connection would be lost to the pool."""

        async def give() -> None:
            if is_broken or lent.connection.is_closed():
                await lent.pooled.invalidate()
            await lent.pooled.close()

        returning = asyncio.get_running_loop().create_task(give())
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)
        await asyncio.shield(returning)

    async def close(self) -> None:
        """Those that are in use are closed when they come back."""
        self._closed = True
        while self._idle:
            await self._give_back(self._idle.pop(), is_broken=False)
        await self._engine.dispose()
