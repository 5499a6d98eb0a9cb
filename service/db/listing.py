"""Which entities there are: types and ids in their order, page by page along the primary key, without their bodies."""

from __future__ import annotations

from typing import NamedTuple

from service.db.pool import Database
from service.db.sql import sql

_AFTER_ALL_IDS = "\x7f"


class IdPage(NamedTuple):
    """Some ids of one type, tombstones left out; ``last``: where the next page begins, None at the end."""

    ids: list[str]
    last: str | None


class EntityListing:
    """Each page is a statement of its own, so no snapshot is held for long. Every method may raise UnavailableError.

    What comes and goes between two pages may be listed or not.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_type(self, after: str) -> str | None:
        """The entity type that follows ``after``; the first one follows the empty text."""
        async with self._database.connection() as connection:
            found: str | None = await connection.fetchval(sql("next_type"), after)
        return found

    async def page(self, entity_type: str, *, prefix: str, after: str, limit: int) -> IdPage:
        """The next ids that begin with ``prefix``: at most ``limit``, and perhaps none although more follow."""
        async with self._database.connection() as connection:
            record = await connection.fetchrow(
                sql("page_of_ids"), entity_type, after, prefix, prefix + _AFTER_ALL_IDS, limit
            )
        assert record is not None
        return IdPage(record["ids"], record["last"] if record["seen"] == limit else None)

    async def about_how_many(self, entity_type: str, *, prefix: str) -> int:
        """What the statistics of the last ANALYZE let expect; at once, whatever the size of the table."""
        async with self._database.connection() as connection:
            [plan] = await connection.fetchval(sql("about_how_many"), entity_type, prefix, prefix + _AFTER_ALL_IDS)
        return int(plan["Plan"]["Plan Rows"])  # the pool decodes JSON
