"""Reading the feed of changes: what transactions have changed since a place in it, a bounded stretch at a time."""

from __future__ import annotations

import asyncpg

from service.db.pool import Database
from service.db.sql import sql
from service.domain.feed import Change, Cursor, Moment, Seen, Stretch, why_gone
from service.errors import CursorGoneError

_BEYOND_ALL = 2**63 - 1


class FeedTable:
    """Each method takes a connection of those for lists, and may raise UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def moment(self) -> Moment:
        """Which places there are: see its `now` and `oldest`."""
        async with self._database.browsing() as connection:
            return await _moment(connection, _BEYOND_ALL, 0)

    async def read(self, cursor: Cursor, *, most: int, until: Seen | None = None) -> Stretch:
        """What follows a place: at most ``most`` changes, up to now or to ``until``, which must not lie before it.

        Raises CursorGoneError where that is not kept any more.
        """
        async with self._database.browsing() as connection:
            moment = await _moment_for(connection, cursor, most)
            if not moment.has_news_for(cursor):
                return Stretch(moment.mark, cursor.seen, until or moment.seen, [])
            # What tells that nothing was forgotten, and what was not, are of one snapshot.
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _read(connection, cursor, most, until)


async def _read(connection: asyncpg.Connection, cursor: Cursor, most: int, until: Seen | None) -> Stretch:
    moment = await _moment_for(connection, cursor, most)
    seen = cursor.seen
    if cursor.rest is None:
        end = until or moment.end_of_page
        skipped, ended = map(str, end.open), map(str, seen.ended_in(end))
        records = await connection.fetch(
            sql("feed_page"), str(seen.before), str(end.before), list(skipped), list(ended), most + 1
        )
    else:
        end = cursor.rest.until
        records = await connection.fetch(
            sql("feed_rest"), seen.as_snapshot, end.as_snapshot, cursor.rest.after, cursor.rest.last, most + 1
        )
    *_, last = records[0] if records else (0,)
    changes = [Change(*told) for *told, _ in records[:most]]
    return Stretch(moment.mark, seen, end, changes, last, goes_on=len(records) > most, is_last=end == moment.seen)


async def _moment_for(connection: asyncpg.Connection, cursor: Cursor, most: int) -> Moment:
    moment = await _moment(connection, cursor.seen.before, most)
    reason = why_gone(cursor, moment)
    if reason is not None:
        raise CursorGoneError(f"the cursor leads nowhere: {reason}; read everything again")
    return moment


async def _moment(connection: asyncpg.Connection, before: int, most: int) -> Moment:
    [record] = await connection.fetch(sql("feed_moment"), str(before), most)
    return Moment(
        record["mark"], Seen.of_snapshot(record["snapshot"]), record["pruned"], record["first"], record["beyond"]
    )
