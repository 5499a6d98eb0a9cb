"""The feed of changes over real transactions: nothing is passed over, however long they take, nothing told twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import asyncpg
import pytest

from service.db.changes import RelaySession
from service.db.feed import FeedTable
from service.db.pool import Database
from service.db.sql import sql as text_of
from service.domain.feed import Change, Cursor
from service.errors import CursorGoneError
from tests.integration.db.test_pruning import APPLIED
from tests.integration.db.test_triggers import PUT, insert

MANY = "INSERT INTO entity (entity_type, id, body) SELECT 'thing', $1 || n, '1' FROM generate_series(1, $2) n"
KEYS = 6


@pytest.fixture
def feed(database: Database) -> FeedTable:
    return FeedTable(database)


@pytest.fixture
async def now(feed: FeedTable) -> Cursor:
    return (await feed.moment()).now


async def follow(feed: FeedTable, cursor: Cursor, *, most: int = 100) -> tuple[list[Change], Cursor]:
    """All that follows, and the place behind it."""
    told: list[Change] = []
    while True:
        stretch = await feed.read(cursor, most=most)
        assert len(stretch.changes) <= most
        told += stretch.changes
        cursor = stretch.end
        if stretch.is_last and not stretch.goes_on:
            return told, cursor


def named(changes: list[Change]) -> list[tuple[str, int, bool]]:
    return [(change.id, change.version, change.deleted) for change in changes]


async def test_a_transaction_that_commits_late_with_lower_versions_is_told_once_and_holds_up_nobody(
    feed: FeedTable, now: Cursor, sql: asyncpg.Connection, other: asyncpg.Connection
):
    late = other.transaction()
    await late.start()
    first = await insert(other, "late")
    second = await insert(sql, "quick")
    assert second > first
    told, cursor = await follow(feed, now)
    assert named(told) == [("quick", second, False)]
    third = await insert(sql, "another")
    told, cursor = await follow(feed, cursor)
    assert named(told) == [("another", third, False)]
    await late.commit()
    told, cursor = await follow(feed, cursor)
    assert named(told) == [("late", first, False)]
    assert (await follow(feed, cursor))[0] == []


async def test_what_is_rolled_back_is_never_told(feed: FeedTable, now: Cursor, sql: asyncpg.Connection):
    undone = sql.transaction()
    await undone.start()
    await insert(sql, "undone")
    assert (await follow(feed, now))[0] == []
    await undone.rollback()
    assert (await follow(feed, now))[0] == []


async def test_a_change_tells_what_has_become_of_the_key_since(feed: FeedTable, now: Cursor, sql: asyncpg.Connection):
    await insert(sql, "gone")
    await sql.execute("DELETE FROM entity WHERE id = 'gone'")
    buried = await sql.fetchval("SELECT version FROM entity WHERE id = 'gone'")
    newest = [await sql.fetchval(PUT, "there", str(n)) for n in range(3)][-1]
    told, _ = await follow(feed, now)
    # A PUT over nothing takes a version that nothing has, and one that is noted.
    assert {(change.id, change.version, change.deleted) for change in told} == {
        ("gone", buried, True),
        ("there", newest, False),
    }
    row = await sql.fetchrow("SELECT aside_rfc3339(updated_at) AS at FROM entity WHERE id = 'there'")
    assert [change.at for change in told if change.id == "there"][-1] == row["at"]


@pytest.mark.parametrize("most", [1, 3, 7, 100])
async def test_a_transaction_that_fits_into_no_page_is_gone_through_while_others_write(
    feed: FeedTable, now: Cursor, sql: asyncpg.Connection, other: asyncpg.Connection, most: int
):
    await insert(sql, "before")
    large = sql.transaction()
    await large.start()
    await sql.execute(MANY, "large-", 10)
    await insert(other, "between")
    await sql.execute(MANY, "larger-", 10)
    await large.commit()
    told: list[Change] = []
    cursor = now
    for n in range(60):
        stretch = await feed.read(cursor, most=most)
        told += stretch.changes
        cursor = stretch.end
        if n < 3:
            await insert(other, f"meanwhile-{n}")
    expected = [*(f"larg{e}-{n}" for e in ("e", "er") for n in range(1, 11)), "before", "between"]
    assert Counter(change.id for change in told) == Counter([*expected, *(f"meanwhile-{n}" for n in range(3))])


async def test_among_writers_that_take_their_time_each_change_is_told_once_and_versions_never_go_back(
    feed: FeedTable, now: Cursor, database_url: str
):
    writers = await asyncio.gather(*[asyncpg.connect(database_url) for _ in range(5)])
    is_writing = True

    async def write(connection: asyncpg.Connection, seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(12):
            transaction = connection.transaction()
            await transaction.start()
            # In one order, so that nobody waits in a circle; far apart, so that others come in between.
            for key in sorted(draw.sample(range(KEYS), draw.randint(1, 3))):
                await connection.fetchval(PUT, f"k{key}", str(seed))
                await connection.execute("SELECT pg_sleep($1)", draw.random() * 0.01)
            await connection.execute(MANY, f"w{seed}-{draw.random()}-", draw.choice([1, 1, 9]))
            await (transaction.commit() if draw.random() < 0.8 else transaction.rollback())

    async def read() -> list[Change]:
        told, cursor = list[Change](), now
        while is_writing:
            stretch = await feed.read(cursor, most=5)
            told, cursor = [*told, *stretch.changes], stretch.end
        return told + (await follow(feed, cursor, most=5))[0]

    reading = asyncio.create_task(read())
    await asyncio.gather(*[write(connection, seed) for seed, connection in enumerate(writers)])
    is_writing = False
    told = await reading
    noted = [record["version"] for record in await writers[0].fetch("SELECT version FROM change")]
    rows = {record["id"]: record["version"] for record in await writers[0].fetch("SELECT id, version FROM entity")}
    await asyncio.gather(*[connection.close() for connection in writers])
    assert len(noted) > 100
    assert Counter(change.noted for change in told) == Counter(noted)
    seen: dict[str, int] = {}
    for change in told:
        assert change.version >= max(change.noted, seen.get(change.id, 0))
        seen[change.id] = change.version
    assert seen == rows


async def test_a_place_before_what_was_pruned_is_gone_and_any_later_one_is_not(
    feed: FeedTable, now: Cursor, sql: asyncpg.Connection, database: Database
):
    await insert(sql, "old")
    _, between = await follow(feed, now)
    await insert(sql, "newer")
    _, after = await follow(feed, between)
    await sql.execute("UPDATE change SET at = at - interval '1 day' WHERE id = 'old'")
    await sql.execute(APPLIED)
    session = await RelaySession.lead(database, idle_seconds=60)
    assert session is not None
    assert await session.prune(changes_after_seconds=3600, tombstones_after_seconds=3600, at_most=100) == 1
    session.close()
    with pytest.raises(CursorGoneError, match="not kept any more"):
        await feed.read(now, most=10)
    assert [change.id for change in (await follow(feed, between))[0]] == ["newer"]
    assert (await follow(feed, after))[0] == []
    assert [change.id for change in (await follow(feed, (await feed.moment()).oldest))[0]] == ["newer"]


async def test_a_transaction_of_days_makes_no_place_go_that_is_younger(
    feed: FeedTable, sql: asyncpg.Connection, other: asyncpg.Connection
):
    long = other.transaction()
    await long.start()
    await insert(other, "long")
    await insert(sql, "old")
    await sql.execute("UPDATE ledger SET pruned_xid = (SELECT max(xid) FROM change)")
    place = (await feed.moment()).now
    oldest = (await feed.moment()).oldest
    await insert(sql, "new")
    for cursor in (place, oldest):
        assert [change.id for change in (await follow(feed, cursor))[0]] == ["new"]
    await long.commit()
    with pytest.raises(CursorGoneError):  # what it changed may be as old as what was pruned
        await feed.read(place, most=10)


@pytest.mark.parametrize("table", ["entity", "change"])
async def test_what_a_truncate_took_away_is_told_nobody_so_all_is_to_be_read_again(
    feed: FeedTable, now: Cursor, sql: asyncpg.Connection, table: str
):
    undone = sql.transaction()
    await undone.start()
    await sql.execute(f"TRUNCATE {table}")
    await undone.rollback()
    assert (await follow(feed, now))[0] == []
    await sql.execute(f"TRUNCATE {table}")
    with pytest.raises(CursorGoneError, match="another history"):
        await feed.read(now, most=10)
    await insert(sql, "first")
    assert [change.id for change in (await follow(feed, (await feed.moment()).oldest))[0]] == ["first"]


async def test_a_database_that_was_set_back_is_not_taken_for_one_with_nothing_new(feed: FeedTable, now: Cursor):
    ahead = Cursor(now.mark, now.seen.below(now.seen.before + 1_000_000))
    with pytest.raises(CursorGoneError, match="set back"):
        await feed.read(ahead, most=10)


async def test_giving_up_what_is_cached_is_nothing_to_the_feed(feed: FeedTable, now: Cursor, sql: asyncpg.Connection):
    await sql.execute(text_of("relay_next_epoch"))
    await sql.execute(text_of("next_epoch_of_type"), "thing")
    await insert(sql, "a")
    assert [change.id for change in (await follow(feed, now))[0]] == ["a"]
