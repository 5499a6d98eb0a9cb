"""The relay's session in PostgreSQL: leadership by an advisory lock, the ledger's pen, the changes above a horizon."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from service.db.pool import Database, translated
from service.db.sql import sql

LEADERSHIP_LOCK = 0x41736965
"""The key of the advisory lock that the leading relay holds."""
NO_HORIZON = "1:1:"
"""A snapshot that has seen nothing."""


@dataclass(frozen=True, slots=True)
class Changed:
    version: int
    name: str


@dataclass(frozen=True, slots=True)
class Poll:
    """One snapshot: everything it has seen is either in a page of changes, or was seen by the horizon before."""

    horizon: str
    generation: str
    type_epochs: str
    """Behind the generation in a heartbeat: ` type:number` for each type that was given up as a whole."""
    pruned_xid: int
    page: list[Changed]
    oldest_age_seconds: float


class RelaySession:
    """One connection of its own; its end, however it comes about, gives the leadership away."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def lead(cls, database: Database, *, idle_seconds: float) -> RelaySession | None:
        """A session that leads, or None where another does. A leader that sleeps past ``idle_seconds`` is cut off.

        The timeout comes first: a host that dies holding the lock, and no timeout, would hold it for hours.
        """
        connection = await database.dedicated()
        try:
            with translated():
                await connection.execute(f"SET idle_session_timeout = {round(idle_seconds * 1000)}")
                leads = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADERSHIP_LOCK)
        except BaseException:
            connection.terminate()
            raise
        if leads:
            return cls(connection)
        connection.terminate()
        return None

    async def new_term(self) -> int:
        with translated():
            return int(await self._connection.fetchval(sql("relay_lead")))

    async def granted_elsewhere_seconds(self, run_id: str) -> float:
        """How long a heartbeat of another server may still live; 0 where none can."""
        with translated():
            [record] = await self._connection.fetch(sql("relay_granted_elsewhere"), run_id)
        return max(0.0, record["seconds"]) if record["moved"] else 0.0

    async def note(self, run_id: str, bound_seconds: float) -> None:
        """Write down, committed, that a heartbeat may be granted: before the poll that it will vouch for."""
        with translated():
            await self._connection.execute(sql("relay_note"), run_id, bound_seconds)

    async def poll(self, since: str, *, page_size: int) -> Poll:
        with translated():
            records = await self._connection.fetch(sql("relay_poll"), since, page_size)
        first = records[0]
        page = [_changed(r) for r in records if r["version"] is not None]
        return Poll(
            horizon=first["horizon"],
            generation=first["generation"],
            type_epochs=first["type_epochs"],
            pruned_xid=first["pruned_xid"],
            page=page,
            oldest_age_seconds=max((r["age_seconds"] for r in records if r["version"] is not None), default=0.0),
        )

    async def next_page(self, since: str, horizon: str, *, page_size: int, after: int) -> list[Changed]:
        with translated():
            records = await self._connection.fetch(sql("relay_page"), since, horizon, page_size, after)
        return [_changed(r) for r in records]

    async def applied(self, horizon: str, generation: str) -> None:
        with translated():
            await self._connection.execute(sql("relay_applied"), horizon, generation)

    async def next_epoch(self) -> None:
        with translated():
            await self._connection.execute(sql("relay_next_epoch"))

    async def prune(self, *, changes_after_seconds: float, tombstones_after_seconds: float, at_most: int) -> int:
        """Forget what nobody needs any more, a bounded step at a time; returns how much was forgotten."""
        with translated():
            changes = int(await self._connection.fetchval(sql("prune_changes"), changes_after_seconds, at_most))
            async with self._connection.transaction():
                await self._connection.execute("SET LOCAL aside.bury = 'off'")
                status = await self._connection.execute(sql("prune_tombstones"), tombstones_after_seconds, at_most)
        return changes + int(status.rpartition(" ")[2])

    async def prune_history(self, *, after_seconds: float, at_most: int) -> int:
        """The same for versions of parameters that were superseded so long ago."""
        with translated():
            status = await self._connection.execute(sql("prune_parameter_versions"), after_seconds, at_most)
        return int(status.rpartition(" ")[2])

    async def prune_repeats(self, *, after_seconds: float, at_most: int) -> int:
        """The same for requests with an Idempotency-Key that were done so long ago."""
        with translated():
            status = await self._connection.execute(sql("prune_repeats"), after_seconds, at_most)
        return int(status.rpartition(" ")[2])

    def close(self) -> None:
        self._connection.terminate()


async def read_history(database: Database) -> str:
    """Which cluster, timeline, database and table the versions belong to: the part of a generation before its dot."""
    async with database.connection() as connection:
        return str(await connection.fetchval(sql("history")))


def _changed(record: asyncpg.Record) -> Changed:
    return Changed(version=record["version"], name=f"{record['entity_type']}:{record['id']}")
