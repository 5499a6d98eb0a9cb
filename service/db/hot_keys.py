"""The `hot_key` table: samples of every replica, added up when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from service.db.pool import Database
from service.db.sql import sql
from service.domain.entity import EntityKey

_KEPT_SECONDS = 86_400.0
_HALF_LIFE_SECONDS = 600.0


class HotKey(NamedTuple):
    key: EntityKey
    reads_per_second: float


class HotKeyTable:
    """Every method may raise UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, replica: str, keys: Sequence[HotKey]) -> None:
        """In place of what this replica has said before."""
        types, ids = [each.key.entity_type for each in keys], [each.key.id for each in keys]
        rates = [each.reads_per_second for each in keys]
        async with self._database.connection() as connection:
            await connection.execute(sql("keep_hot_keys"), replica, types, ids, rates, _KEPT_SECONDS)

    async def hottest(self, limit: int, *, but: str) -> list[HotKey]:
        """What all replicas have said, all but one."""
        async with self._database.browsing() as connection:
            records = await connection.fetch(sql("hottest_keys"), limit, but, _HALF_LIFE_SECONDS)
        return [HotKey(EntityKey(r["entity_type"], r["id"]), r["reads_per_second"]) for r in records]
