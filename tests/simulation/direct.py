"""The stand-ins without a network, in an ordinary event loop: what contract tests compare with real servers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from tests.simulation.pg_rows import Key, Rows, Transaction
from tests.simulation.pg_server import IDLES, LEADS
from tests.simulation.pg_statements import READS, WRITES, plain_delete, plain_update, written_record
from tests.simulation.redis_server import RedisServer
from tests.simulation.simulator import EPOCH_SECONDS, Simulator


class RealTime(Simulator):
    """Nothing is scheduled; only the clock is asked for."""

    @property
    def now(self) -> float:  # type: ignore[override]
        return time.time() - EPOCH_SECONDS

    @now.setter
    def now(self, _: float) -> None: ...


def redis_in_memory() -> RedisServer:
    return RedisServer(RealTime(0), "memory", Counter(), ahead=0.0)


class DirectRedis:
    """See `redis.asyncio.connection.AbstractConnection`: every command is carried out as it is sent."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._replies: list[Any] = []
        self.is_connected = False

    async def connect(self) -> None:
        self.is_connected = True

    def pack_commands(self, commands: Sequence[Any]) -> Any:
        return commands

    async def send_packed_command(self, commands: Sequence[Any], check_health: bool = True) -> None:  # noqa: FBT001, FBT002
        self._replies += [self._server._execute(command) for command in commands]

    async def read_response(self, **_: Any) -> Any:
        if not self._replies:
            raise RedisConnectionError("nothing was asked")
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def disconnect(self, nowait: bool = False) -> None:  # noqa: FBT001, FBT002
        self._replies.clear()
        self.is_connected = False


class DirectPostgres:
    """A connection whose statements are carried out and committed at once."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def fetch(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        if statement in READS:
            return READS[statement](self._rows, *args)
        if statement == LEADS:
            return [{"leads": True}]
        if statement.startswith(IDLES):
            return []
        key, transaction = (args[0], args[1]), Transaction()
        assert self._rows.lock(transaction, key)
        row = WRITES[statement](self._rows, self._rows.table.get(key), *args[2:])
        if row is None:
            self._rows.abort(transaction)
            return []
        self._rows.write(transaction, key, row)
        self._rows.commit(transaction)
        return [written_record(row)]

    async def fetchrow(self, statement: str, *args: Any) -> dict[str, Any] | None:
        return next(iter(await self.fetch(statement, *args)), None)

    async def fetchval(self, statement: str, *args: Any) -> Any:
        return next((next(iter(record.values())) for record in await self.fetch(statement, *args)), None)

    async def execute(self, statement: str, *args: Any) -> None:
        await self.fetch(statement, *args)

    def terminate(self) -> None: ...


class DirectDatabase:
    """See :class:`service.db.pool.Database`."""

    def __init__(self) -> None:
        self.rows = Rows(RealTime(0))
        self._open: dict[int, Transaction] = {}

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[DirectPostgres]:
        yield DirectPostgres(self.rows)

    writing = connection

    async def dedicated(self) -> DirectPostgres:
        return DirectPostgres(self.rows)

    async def close(self) -> None: ...

    # -- somebody else's sessions --------------------------------------------------------------------------------

    async def plain(self, session: int, key: Key, document: bytes | None) -> None:
        transaction = self._open.setdefault(session, Transaction())
        assert self.rows.lock(transaction, key)
        if document is None:
            plain_delete(self.rows, transaction, key)
        else:
            plain_update(self.rows, transaction, key, document)

    async def end(self, session: int, *, commits: bool) -> None:
        transaction = self._open.pop(session, Transaction())
        (self.rows.commit if commits else self.rows.abort)(transaction)

    async def truncate(self) -> None:
        assert self.rows.truncate()
