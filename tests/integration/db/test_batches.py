"""Batches in a real table: all or none, conditions under locks, and what a broken connection leaves behind."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from service.db.batches import BatchTable
from service.db.pool import Database
from service.domain.batch import Verb, Write
from service.domain.entity import ALWAYS, EntityKey, WriteCondition
from service.errors import (
    AsideError,
    BatchRefusedError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
    UnacceptableDocumentError,
    UnavailableError,
    WriteOutcomeUnknownError,
)
from tests.integration.db.conftest import make_database
from tests.support.polling import turns
from tests.support.waiting import eventually

ABSENT = WriteCondition(must_be_absent=True)
WAITS_AT_COMMIT = """
CREATE FUNCTION wait_for_seven() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON entity DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_for_seven();
"""
WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'aside' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def batches(database: Database) -> BatchTable:
    return BatchTable(database, max_body_bytes=1_000)


def key(name: str) -> EntityKey:
    return EntityKey("thing", name)


def put(name: str, document: str = "1", condition: WriteCondition = ALWAYS, ttl: float | None = None) -> Write:
    return Write(Verb.PUT, key(name), document, condition, ttl)


def patch(name: str, document: str, condition: WriteCondition = ALWAYS) -> Write:
    return Write(Verb.PATCH, key(name), document, condition)


def delete(name: str, condition: WriteCondition = ALWAYS) -> Write:
    return Write(Verb.DELETE, key(name), None, condition)


def having(*versions: int) -> WriteCondition:
    return WriteCondition(if_match=frozenset(versions))


async def stored(sql: asyncpg.Connection) -> dict[str, str | None]:
    """Documents by id; None for a tombstone."""
    return {record["id"]: record["body"] for record in await sql.fetch("SELECT id, body::text FROM entity")}


async def refused(batches: BatchTable, *writes: Write) -> dict[int, AsideError]:
    with pytest.raises(BatchRefusedError) as caught:
        await batches.write(writes, with_bodies=False)
    return {refusal.place: refusal.error for refusal in caught.value.refusals}


async def test_each_verb_does_what_it_does_alone_and_each_row_is_at_its_place(
    batches: BatchTable, sql: asyncpg.Connection
):
    first = await batches.write([put("a", '{"n": 1, "m": 1}'), put("b"), put("c")], with_bodies=True)
    assert [row.created for row in first] == [True, True, True]
    rows = await batches.write(
        [
            put("d", "1.50", ttl=2.5),
            delete("c"),
            patch("a", '{"n": null, "o": 2}'),
            put("b", "9", having(first[1].version)),
        ],
        with_bodies=True,
    )
    assert [row.body for row in rows] == [b"1.50", None, b'{"m": 1, "o": 2}', b"9"]
    assert [row.created for row in rows] == [True, False, False, False]
    assert [row.ttl_seconds for row in rows] == [2.5, None, None, None]
    assert await stored(sql) == {"a": '{"m": 1, "o": 2}', "b": "9", "c": None, "d": "1.50"}


async def test_the_versions_that_are_told_are_those_of_the_rows_and_of_their_changes(
    batches: BatchTable, sql: asyncpg.Connection
):
    await batches.write([put("a"), put("b")], with_bodies=False)
    rows = await batches.write([patch("b", "{}"), put("a")], with_bodies=False)
    told = dict(zip(["b", "a"], [row.version for row in rows], strict=True))
    assert told == {r["id"]: r["version"] for r in await sql.fetch("SELECT id, version FROM entity")}
    noted = await sql.fetch("SELECT id, max(version) AS version FROM change GROUP BY id")
    assert told == {r["id"]: r["version"] for r in noted}


async def test_a_put_over_a_tombstone_creates_under_a_higher_version(batches: BatchTable, sql: asyncpg.Connection):
    await batches.write([put("a"), put("b")], with_bodies=False)
    [gone, _] = await batches.write([delete("a"), delete("b")], with_bodies=False)
    again = await batches.write([put("a", condition=ABSENT), put("b")], with_bodies=False)
    assert [row.created for row in again] == [True, True]
    assert min(row.version for row in again) > gone.version


async def test_a_lifetime_stays_through_a_patch_and_goes_with_a_put(batches: BatchTable, sql: asyncpg.Connection):
    await batches.write([put("a", "{}", ttl=5), put("b", "{}", ttl=5)], with_bodies=False)
    [patched, replaced] = await batches.write([patch("a", "{}"), put("b", "{}", having())], with_bodies=False)
    assert (patched.ttl_seconds, replaced.ttl_seconds) == (5, None)


async def test_every_write_that_cannot_be_done_is_named_and_nothing_is_written(
    batches: BatchTable, sql: asyncpg.Connection
):
    [kept] = await batches.write([put("there", '{"t": "' + "x" * 900 + '"}')], with_bodies=False)
    await batches.write([put("gone")], with_bodies=False)
    await batches.write([delete("gone")], with_bodies=False)
    before = await stored(sql)
    errors = await refused(
        batches,
        put("new"),
        delete("none"),
        patch("gone", "{}"),
        put("other", condition=having(1)),
        put("there", condition=ABSENT),
    )
    assert {place: type(error) for place, error in errors.items()} == {
        1: NotFoundError, 2: NotFoundError, 3: PreconditionFailedError, 4: PreconditionFailedError,
    }  # fmt: skip
    assert [getattr(errors[place], "current_version", None) for place in (3, 4)] == [None, kept.version]
    too_large = await refused(batches, put("new"), patch("there", '{"u": "' + "y" * 900 + '"}'))
    assert {place: type(error) for place, error in too_large.items()} == {1: TooLargeError}
    assert await stored(sql) == before
    assert await sql.fetchval("SELECT count(*) FROM change") == 3


async def test_patches_have_a_limit_for_all_that_they_make_together(batches: BatchTable, sql: asyncpg.Connection):
    names = [f"n{number}" for number in range(20)]
    large = '{"t": "' + "x" * 900 + '"}'
    await batches.write([put(name, large) for name in names], with_bodies=False)
    most = await batches.write([patch(name, "{}") for name in names[:17]], with_bodies=True)
    assert {len(row.body or b"") for row in most} == {len(large)}
    with pytest.raises(TooLargeError):
        await batches.write([patch(name, '{"u": 1}') for name in names], with_bodies=True)
    assert set((await stored(sql)).values()) == {large}


async def test_a_condition_names_versions_or_any(batches: BatchTable):
    [a, b] = await batches.write([put("a"), put("b")], with_bodies=False)
    errors = await refused(batches, delete("a", having(a.version + 100)), patch("b", "{}", having(b.version)))
    assert set(errors) == {0}
    await batches.write([delete("a", having(1, a.version)), patch("b", "{}", having())], with_bodies=False)


async def test_a_rehearsal_says_what_would_be_and_leaves_nothing(batches: BatchTable, sql: asyncpg.Connection):
    await batches.write([put("a")], with_bodies=False)
    before = await stored(sql)
    rows = await batches.rehearse([put("a", "2"), put("b")])
    assert [row.created for row in rows] == [False, True]
    with pytest.raises(BatchRefusedError):
        await batches.rehearse([delete("none")])
    assert await stored(sql) == before


async def test_a_document_that_postgresql_cannot_keep_undoes_the_batch(batches: BatchTable, sql: asyncpg.Connection):
    with pytest.raises(UnacceptableDocumentError):
        await batches.write([put("a"), put("b", '"\\u0000"')], with_bodies=False)
    assert await stored(sql) == {}
    assert (
        await sql.fetchval("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = relation AND relname = 'entity'")
        == 0
    )


async def test_a_deadlock_with_plain_sql_is_a_busy_database_and_not_a_defect(
    batches: BatchTable, sql: asyncpg.Connection
):
    await batches.write([put("a"), put("b")], with_bodies=False)
    await sql.execute("SET deadlock_timeout = '1h'; BEGIN; UPDATE entity SET body = '2' WHERE id = 'b'")
    write = asyncio.ensure_future(batches.write([put("a", "3"), put("b", "3")], with_bodies=False))
    other = asyncio.ensure_future(sql.execute("UPDATE entity SET body = '2' WHERE id = 'a'"))
    with pytest.raises(DatabaseBusyError):
        await write
    await other
    await sql.execute("COMMIT")
    assert await stored(sql) == {"a": "2", "b": "2"}


async def test_a_connection_that_breaks_before_the_commit_has_written_nothing(
    batches: BatchTable, sql: asyncpg.Connection
):
    await batches.write([put("b", "0")], with_bodies=False)
    async with sql.transaction():
        await sql.execute("SELECT FROM entity FOR UPDATE")
        write = asyncio.ensure_future(batches.write([put("a"), put("b")], with_bodies=False))
        [pid] = await eventually(lambda: waiting(sql))
        await sql.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DatabaseUnavailableError):
            await write
    assert await stored(sql) == {"b": "0"}


async def test_a_connection_that_breaks_under_the_commit_leaves_the_outcome_unknown(
    batches: BatchTable, sql: asyncpg.Connection
):
    await sql.execute(WAITS_AT_COMMIT)
    await sql.execute("SELECT pg_advisory_lock(7)")
    write = asyncio.ensure_future(batches.write([put("a"), put("b")], with_bodies=False))
    [pid] = await eventually(lambda: waiting(sql))
    await sql.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(WriteOutcomeUnknownError):
        await write
    await sql.execute("SELECT pg_advisory_unlock(7)")
    assert set(await stored(sql)) in ({"a", "b"}, set())


async def waiting(sql: asyncpg.Connection) -> list[int]:
    return [record["pid"] for record in await sql.fetch(WAITING)]


async def test_whenever_a_connection_is_killed_all_of_a_batch_is_there_or_nothing(
    database_url: str, sql: asyncpg.Connection
):
    """Killed at any moment of it; what was acknowledged is there, what is said to be undone is not."""
    database = make_database(database_url, connections=1)
    batches = BatchTable(database, max_body_bytes=1_000)
    names = [f"n{number}" for number in range(40)]
    ended: set[str] = set()
    try:
        for turn in range(40):
            await eventually(lambda: database.available)
            write = asyncio.ensure_future(batches.write([put(name, str(turn)) for name in names], with_bodies=False))
            await turns(4 * turn)
            await sql.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aside'"
                " AND datname = current_database()"
            )
            [result] = await asyncio.gather(write, return_exceptions=True)
            found = set((await stored(sql)).values())
            match result:
                case list():
                    assert found == {str(turn)}
                case WriteOutcomeUnknownError():
                    assert len(found) <= 1
                case UnavailableError():
                    assert str(turn) not in found
                case _:
                    raise AssertionError(f"{result!r} in turn {turn}")
            ended.add(type(result).__name__)
    finally:
        await database.close()
    assert len(ended) > 1, "the kills all came too late, or all too early"
