"""The ledger, as writers and readers see it: may a heartbeat be alive that does not know of a version?"""

from __future__ import annotations

from collections.abc import Sequence

from service.db.entities import coverage_of
from service.db.pool import Database
from service.db.sql import sql
from service.domain.row import Coverage


class LedgerTable:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def coverages(self, versions: Sequence[int]) -> list[Coverage]:
        """One for each version, in order, all of one snapshot. May raise UnavailableError."""
        async with self._database.connection() as connection:
            records = await connection.fetch(sql("coverage"), versions)
        found = {record["version"]: coverage_of(record) for record in records}
        return [found[version] for version in versions]
