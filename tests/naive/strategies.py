"""Four ways to cache that are in use everywhere, each as well as it can be done.

All of them: a read that Redis does not answer in 0.2 s goes to PostgreSQL, and leaves the cache alone. What a write has
to say to Redis is tried three times; then the write is acknowledged all the same, for it is committed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar, NamedTuple

from tests.naive.pipe import Argument, Pipes, RedisAwayError
from tests.naive.rows import Row, Rows, row_of

ATTEMPTS = 3
RETRY_SECONDS = 0.05
SECOND_DELETE_SECONDS = 0.5


class Got(NamedTuple):
    """What a read returned."""

    version: int
    is_hit: bool
    payload: bytes


class WriterDiedError(Exception):
    """The process of a writer ended between its commit and its word to the cache. ``version`` is committed."""

    def __init__(self, version: int) -> None:
        super().__init__("the writer died")
        self.version = version


class CacheAside:
    """Plain cache-aside. Read: GET; on a miss SELECT, then SET EX. Write: UPDATE and COMMIT; entries end by TTL."""

    name: ClassVar[str] = "plain cache-aside"
    says: ClassVar[str] = "a write leaves the cache alone: entries end by their TTL"

    def __init__(self, rows: Rows, pipes: Pipes, *, ttl_seconds: float) -> None:
        self._rows = rows
        self._pipes = pipes
        self._ttl_ms = round(ttl_seconds * 1000)
        self._later: set[asyncio.Task[None]] = set()

    async def read(self, key: str) -> Got:
        try:
            payload = await self._pipes.call("GET", key)
        except RedisAwayError:
            row = await self._rows.load(key)
            return Got(row.version, is_hit=False, payload=row.payload)
        if payload is not None:
            return Got(row_of(payload).version, is_hit=True, payload=payload)
        row = await self._rows.load(key)
        with suppress(RedisAwayError):
            await self.fill(key, row)
        return Got(row.version, is_hit=False, payload=row.payload)

    async def write(self, key: str, body: str, *, dies: bool = False) -> int:
        """The version, committed, and told to the cache as the strategy does it. Raises WriterDiedError."""
        await self.before(key)
        row = await self._rows.write(key, body)
        if dies:
            raise WriterDiedError(row.version)
        await self.after(key, row)
        return row.version

    async def fill(self, key: str, row: Row) -> None:
        """After a miss."""
        await self._pipes.call("SET", key, row.payload, "PX", self._ttl_ms)

    async def before(self, key: str) -> None:
        """Before the transaction of a write."""

    async def after(self, key: str, row: Row) -> None:
        """After its commit, and before it is acknowledged."""

    async def tell(self, *command: Argument) -> None:
        for attempt in range(ATTEMPTS):
            try:
                await self._pipes.call(*command)
            except RedisAwayError:
                if attempt + 1 < ATTEMPTS:
                    await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        self._pipes.close()
        self._rows.close()


class DeleteAfterCommit(CacheAside):
    """The usual one: cache-aside, and a DEL between the commit and the acknowledgement."""

    name = "delete after commit"
    says = "UPDATE, COMMIT, DEL, acknowledge"

    async def after(self, key: str, row: Row) -> None:
        await self.tell("DEL", key)


class DoubleDelete(DeleteAfterCommit):
    """DEL before the transaction, DEL after its commit, and once more when readers on their way have arrived."""

    name = "double delete"
    says = f"DEL, UPDATE, COMMIT, DEL, acknowledge, and DEL again after {SECOND_DELETE_SECONDS * 1000:g} ms"

    async def before(self, key: str) -> None:
        await self.tell("DEL", key)

    async def after(self, key: str, row: Row) -> None:
        await super().after(key, row)
        task = asyncio.create_task(self._once_more(key))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _once_more(self, key: str) -> None:
        await asyncio.sleep(SECOND_DELETE_SECONDS)
        await self.tell("DEL", key)


SET_NEWER = """
local held = redis.call('GET', KEYS[1])
if held and tonumber(string.match(held, '^%d+')) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class VersionOnly(CacheAside):
    """Entries carry the version of their row, and only a newer one replaces them; writes install what they wrote."""

    name = "version only"
    says = "UPDATE, COMMIT, SET if newer (Lua), acknowledge; misses fill with SET if newer"

    async def fill(self, key: str, row: Row) -> None:
        await self._pipes.call("EVAL", SET_NEWER, 1, key, row.version, row.payload, self._ttl_ms)

    async def after(self, key: str, row: Row) -> None:
        await self.tell("EVAL", SET_NEWER, 1, key, row.version, row.payload, self._ttl_ms)


NAIVE: tuple[type[CacheAside], ...] = (CacheAside, DeleteAfterCommit, DoubleDelete, VersionOnly)
