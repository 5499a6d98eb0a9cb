"""The ledger, as writers and readers see it: may a heartbeat be alive that does not know of a version?"""

from __future__ import annotations

from service.db.entities import coverage_of
from service.db.pool import Database
from service.db.sql import sql
from service.domain.row import Coverage


class LedgerTable:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def coverage(self, version: int) -> Coverage:
        """See :class:`service.cache.store.Ledger`."""
        async with self._database.connection() as connection:
            return coverage_of(await connection.fetchrow(sql("coverage"), version))
