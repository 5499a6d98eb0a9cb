"""The table as the service uses it: conditions hold under the row lock, rows come back as they were written."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from service.db.entities import EntityTable
from service.db.ledger import LedgerTable
from service.db.pool import Database
from service.domain.entity import ALWAYS, EntityKey, WriteCondition, WrittenRow
from service.domain.row import VersionedRow
from service.errors import NotFoundError, PreconditionFailedError, TooLargeError, UnacceptableDocumentError

JP, FR = EntityKey("country", "JP"), EntityKey("country", "FR")
ABSENT_ONLY = WriteCondition(must_be_absent=True)
ANY = WriteCondition(if_match=frozenset())


def matching(*versions: int) -> WriteCondition:
    return WriteCondition(if_match=frozenset(versions))


async def put(
    table: EntityTable, key: EntityKey = JP, body: str = '{"a": 1}', *, condition: WriteCondition = ALWAYS,
    ttl_seconds: float | None = None,
) -> WrittenRow:  # fmt: skip
    return await table.put(key, body, condition=condition, ttl_seconds=ttl_seconds)


async def test_what_is_put_is_loaded_with_its_version_time_and_lifetime(table: EntityTable):
    written = await put(table, ttl_seconds=7.5)
    [row] = await table.load([JP])
    assert (row.version, row.body, row.ttl_seconds) == (written.version, b'{"a": 1}', 7.5)
    assert row.modified_at_ms == written.modified_at_ms
    assert written.created


async def test_rows_come_in_the_order_of_the_keys_with_absent_ones_between(table: EntityTable):
    await put(table, JP, "1")
    await put(table, FR, "2")
    rows = await table.load([FR, EntityKey("country", "DE"), JP, EntityKey("city", "JP")])
    assert [row.body for row in rows] == [b"2", None, b"1", None]
    assert rows[1] == VersionedRow(version=0, body=None)


async def test_what_a_truncate_took_away_has_a_version_of_its_own_place(table: EntityTable, sql: asyncpg.Connection):
    before = await put(table)
    await sql.execute("TRUNCATE entity")
    [gone], [(again, _)] = await table.load([JP]), await table.load_with_coverage([JP])
    assert gone == again
    assert gone.body is None
    assert before.version < gone.version < (await put(table)).version


async def test_a_replacement_is_no_creation_and_a_creation_after_a_deletion_is_one(table: EntityTable):
    first, second = await put(table), await put(table, body="2")
    assert (first.created, second.created) == (True, False)
    gone = await table.delete(JP, condition=ALWAYS)
    again = await put(table, body="3")
    assert again.created
    assert [w.version for w in (first, second, gone, again)] == sorted(
        {w.version for w in (first, second, gone, again)}
    )


async def test_a_tombstone_is_loaded_with_its_version(table: EntityTable):
    await put(table)
    gone = await table.delete(JP, condition=ALWAYS)
    [row] = await table.load([JP])
    assert (row.version, row.body) == (gone.version, None)


async def test_a_put_without_a_lifetime_takes_away_the_old_one_and_a_patch_keeps_it(table: EntityTable):
    await put(table, ttl_seconds=7.5)
    patched = await table.patch(JP, '{"b": 2}', condition=ALWAYS, ttl_seconds=None)
    assert (patched.ttl_seconds, patched.body) == (7.5, b'{"a": 1, "b": 2}')
    assert (await table.patch(JP, "{}", condition=ALWAYS, ttl_seconds=9)).ttl_seconds == 9
    assert (await put(table)).ttl_seconds is None


# -- conditions ------------------------------------------------------------------------------------------------------


async def test_if_match_lets_only_one_of_two_writers_pass(table: EntityTable):
    """Race R26: both have read the same version; the condition is checked under the row lock."""
    version = (await put(table)).version
    results = await asyncio.gather(
        *[put(table, body=str(n), condition=matching(version)) for n in range(2)], return_exceptions=True
    )
    assert {type(result) for result in results} == {WrittenRow, PreconditionFailedError}


async def test_must_be_absent_lets_only_one_of_many_creators_pass(table: EntityTable):
    results = await asyncio.gather(
        *[put(table, body=str(n), condition=ABSENT_ONLY) for n in range(8)], return_exceptions=True
    )
    assert sum(isinstance(result, WrittenRow) for result in results) == 1
    refusals = [result for result in results if isinstance(result, PreconditionFailedError)]
    [winner] = [result for result in results if isinstance(result, WrittenRow)]
    assert {refusal.current_version for refusal in refusals} == {winner.version}


async def test_what_was_deleted_counts_as_absent(table: EntityTable):
    await put(table)
    await table.delete(JP, condition=ALWAYS)
    assert (await put(table, condition=ABSENT_ONLY)).created


@pytest.mark.parametrize("operation", ["put", "patch", "delete"])
@pytest.mark.parametrize("case", ["right", "one of several", "any", "wrong", "absent", "deleted"])
async def test_if_match(table: EntityTable, operation: str, case: str):
    version = 0 if case == "absent" else (await put(table)).version
    if case == "deleted":
        await table.delete(JP, condition=ALWAYS)
    condition = {"right": matching(version), "one of several": matching(1_000, version), "wrong": matching(1_000)}.get(
        case, ANY
    )

    async def write() -> WrittenRow:
        match operation:
            case "put":
                return await put(table, body="2", condition=condition)
            case "patch":
                return await table.patch(JP, '{"b": 2}', condition=condition, ttl_seconds=None)
            case _:
                return await table.delete(JP, condition=condition)

    if case in ("right", "one of several", "any"):
        assert (await write()).version > version
        return
    with pytest.raises(PreconditionFailedError) as refusal:
        await write()
    assert refusal.value.current_version == (version if case == "wrong" else None)


@pytest.mark.parametrize("operation", ["patch", "delete"])
async def test_what_is_not_there_can_be_neither_patched_nor_deleted(table: EntityTable, operation: str):
    with pytest.raises(NotFoundError):
        await (
            table.delete(JP, condition=ALWAYS)
            if operation == "delete"
            else table.patch(JP, "{}", condition=ALWAYS, ttl_seconds=None)
        )


async def test_a_patch_that_would_make_too_large_a_document_is_refused_and_changes_nothing(table: EntityTable):
    before = await put(table)
    with pytest.raises(TooLargeError):
        await table.patch(JP, f'{{"long": "{"x" * 1_000}"}}', condition=ALWAYS, ttl_seconds=None)
    [row] = await table.load([JP])
    assert row.version == before.version


@pytest.mark.parametrize("body", ['"\\u0000"', "1e200000", '"\\ud800"'])
async def test_what_postgresql_cannot_keep_is_an_unacceptable_document(table: EntityTable, body: str):
    with pytest.raises(UnacceptableDocumentError):
        await put(table, body=body)


# -- the ledger ------------------------------------------------------------------------------------------------------

NOTE = "UPDATE ledger SET granted_until = clock_timestamp() + make_interval(secs => $1)"
APPLIED = "UPDATE ledger SET applied = pg_current_snapshot()::text, generation = aside_generation()"


async def coverages(database: Database, table: EntityTable, version: int) -> set[bool]:
    """What a writer and a reader are told; they must agree."""
    [(_, coverage)] = await table.load_with_coverage([JP])
    return {(await LedgerTable(database).coverages([version]))[0].covered, coverage.covered}


async def test_a_version_is_covered_where_no_heartbeat_can_be_alive(
    sql: asyncpg.Connection, table: EntityTable, database: Database
):
    version = (await put(table)).version
    assert await coverages(database, table, version) == {True}
    await sql.execute(NOTE, 60.0)
    assert await coverages(database, table, version) == {False}
    await sql.execute(NOTE, -0.001)
    assert await coverages(database, table, version) == {True}


async def test_a_version_is_covered_once_the_relay_has_applied_it_in_this_generation(
    sql: asyncpg.Connection, table: EntityTable, database: Database
):
    await sql.execute(NOTE, 60.0)
    version = (await put(table)).version
    await sql.execute(APPLIED)
    assert await coverages(database, table, version) == {True}
    later = (await put(table)).version
    assert await coverages(database, table, later) == {False}
    await sql.execute(APPLIED)
    await sql.execute("UPDATE epoch SET number = number + 1")
    assert await coverages(database, table, later) == {False}


async def test_the_ledger_tells_how_long_a_heartbeat_may_still_live(sql: asyncpg.Connection, database: Database):
    await sql.execute(NOTE, 60.0)
    [coverage] = await LedgerTable(database).coverages([1])
    assert 50 < coverage.wait_seconds <= 60


async def test_what_never_existed_is_loaded_with_its_coverage(sql: asyncpg.Connection, table: EntityTable):
    [(row, _), (other, _)] = await table.load_with_coverage([JP, FR])
    assert row == other == VersionedRow(version=0, body=None)
