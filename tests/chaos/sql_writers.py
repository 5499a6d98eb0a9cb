"""Others who change the table with plain SQL, past the service and past all links.

`committed` has, by version, the moment (monotonic seconds) at which the client heard of the commit: from then on the
change is due within B. Where the connection broke first, nothing is claimed; the checker takes the moment at which it
saw the row committed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg

from tests.chaos.fault_kinds import kind
from tests.chaos.mix import Mix
from tests.chaos.other_faults import DATABASE_ERRORS
from tests.chaos.plan import Fault
from tests.chaos.stage import Stage

_VERSION = "SELECT version FROM chaos_truth WHERE key = $1 AND xid = pg_current_xact_id()"
_TRUNCATED = "SELECT version FROM chaos_truth WHERE key = '*' AND xid = pg_current_xact_id()"
_UPSERT = """
INSERT INTO entity AS e (entity_type, id, body) VALUES ($1, $2, $3::text::jsonb)
ON CONFLICT (entity_type, id) DO UPDATE SET body = excluded.body, deleted = false
RETURNING version"""
_RESEED = """
INSERT INTO entity (entity_type, id, body)
SELECT t, i, b::jsonb FROM unnest($1::text[], $2::text[], $3::text[]) k (t, i, b)
ON CONFLICT (entity_type, id) DO UPDATE SET body = excluded.body, deleted = false
RETURNING version"""


@dataclass
class Written:
    """Plain SQL's changes, as their writer knows them."""

    committed: dict[int, float] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    changes: int = 0
    truncates: int = 0


class SqlWriters:
    def __init__(self, stage: Stage, mix: Mix, *, seed: int) -> None:
        self._stage = stage
        self._mix = mix
        self._random = random.Random(seed)
        self.written = Written()

    async def write_on(self, *, every_seconds: float) -> None:
        """For ever: one change of one hot key after the other, over a connection that is made anew when it breaks."""
        with self._stage.session(command_timeout=5) as session:
            while True:
                await asyncio.sleep(self._random.expovariate(1 / every_seconds))
                try:
                    async with asyncio.timeout(6):
                        await self._change(await session.get())
                except DATABASE_ERRORS:
                    session.drop()

    async def _change(self, connection: asyncpg.Connection) -> None:
        # The hotter, the sooner each replica is asked for it, and the finer what is measured.
        key = self._mix.hot[int(60 * self._random.random() ** 3)]
        entity_type, _, entity_id = key.partition(":")
        transaction = connection.transaction()
        await transaction.start()
        if self._random.random() < 0.12:
            deleted = await connection.execute(
                "DELETE FROM entity WHERE entity_type = $1 AND id = $2 AND NOT deleted", entity_type, entity_id
            )
            version = await connection.fetchval(_VERSION, key) if deleted != "DELETE 0" else None
        else:
            _, document = self._mix.document(key)
            version = await connection.fetchval(_UPSERT, entity_type, entity_id, document.decode())
        await transaction.commit()
        if version is not None:
            self._note(version, key)

    async def truncate(self) -> None:
        """All of it, and the hot keys back a moment later, in one INSERT. It gives up where it cannot have its lock."""
        connection = await self._stage.database()
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '700ms'")
                await connection.execute("TRUNCATE entity")
                version = await connection.fetchval(_TRUNCATED)
            self._note(version, "*")
            self.written.truncates += 1
            await asyncio.sleep(0.2)
            await self.seed(connection, self._mix.hot)
        finally:
            connection.terminate()

    async def seed(self, connection: asyncpg.Connection, keys: list[str]) -> None:
        """Documents for all these keys at once."""
        kinds, ids = zip(*(key.split(":") for key in keys), strict=True)
        bodies = [self._mix.document(key)[1].decode() for key in keys]
        records = await connection.fetch(_RESEED, kinds, ids, bodies)
        now = time.monotonic()
        for record in records:
            self.written.committed[record["version"]] = now

    def _note(self, version: int, key: str) -> None:
        self.written.committed[version] = time.monotonic()
        self.written.keys[version] = key
        self.written.changes += 1


@kind("truncate")
@asynccontextmanager
async def truncate(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    assert stage.sql is not None
    with suppress(*DATABASE_ERRORS):
        async with asyncio.timeout(8):
            await stage.sql.truncate()
    yield
