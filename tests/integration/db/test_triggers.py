"""What the triggers keep true, whoever writes and however: versions, tombstones, changes, the epoch."""

from __future__ import annotations

import asyncio
import io

import asyncpg
import pytest

PUT = """
INSERT INTO entity (entity_type, id, body) VALUES ('t', $1, $2::text::jsonb)
ON CONFLICT (entity_type, id) DO UPDATE SET body = excluded.body, deleted = false
RETURNING version
"""


async def version_of(sql: asyncpg.Connection, entity_id: str = "a") -> int:
    return int(await sql.fetchval("SELECT version FROM entity WHERE entity_type = 't' AND id = $1", entity_id))


async def insert(sql: asyncpg.Connection, entity_id: str = "a", body: str = "1") -> int:
    await sql.execute("INSERT INTO entity (entity_type, id, body) VALUES ('t', $1, $2::text::jsonb)", entity_id, body)
    return await version_of(sql, entity_id)


async def changes(sql: asyncpg.Connection) -> list[tuple[str, int]]:
    return [(r["id"], r["version"]) for r in await sql.fetch("SELECT id, version FROM change ORDER BY version")]


async def generation(sql: asyncpg.Connection) -> str:
    return str(await sql.fetchval("SELECT aside_generation()"))


async def test_every_statement_takes_a_new_version_and_notes_exactly_one_change(sql: asyncpg.Connection):
    versions = [await insert(sql)]
    await sql.execute("UPDATE entity SET body = '2' WHERE id = 'a'")
    versions.append(await version_of(sql))
    versions.append(await sql.fetchval(PUT, "a", "3"))
    await sql.execute("UPDATE entity SET deleted = true WHERE id = 'a'")
    versions.append(await version_of(sql))
    assert versions == sorted(set(versions))
    assert await changes(sql) == [("a", version) for version in versions]


async def test_a_version_that_a_client_gives_is_ignored(sql: asyncpg.Connection):
    await sql.execute(
        "INSERT INTO entity (entity_type, id, body, version, created_at, updated_at) "
        "VALUES ('t', 'a', '1', 10^9, 'epoch', 'epoch')"
    )
    version = await version_of(sql)
    assert version < 10**9
    await sql.execute("UPDATE entity SET version = 1, created_at = 'epoch', updated_at = 'epoch'")
    assert await version_of(sql) > version
    assert await sql.fetchval("SELECT created_at > '2020-01-01' AND updated_at >= created_at FROM entity")


async def test_one_statement_over_many_rows_notes_each_of_them(sql: asyncpg.Connection):
    await sql.execute(
        "INSERT INTO entity (entity_type, id, body) SELECT 't', n::text, '1' FROM generate_series(1, 500) n"
    )
    await sql.execute("UPDATE entity SET body = '2'")
    noted = await changes(sql)
    assert len(noted) == len({version for _, version in noted}) == 1_000
    missing = "SELECT count(*) FROM entity e WHERE NOT EXISTS (SELECT FROM change c WHERE c.version = e.version)"
    assert await sql.fetchval(missing) == 0


async def test_copy_is_seen(sql: asyncpg.Connection):
    source = io.BytesIO(b't\ta\t{"n": 1}\nt\tb\t{"n": 2}\n')
    await sql.copy_to_table("entity", source=source, columns=["entity_type", "id", "body"])
    assert [entity_id for entity_id, _ in await changes(sql)] == ["a", "b"]


async def test_an_upsert_over_old_and_new_rows_notes_each_once(sql: asyncpg.Connection):
    await insert(sql, "a")
    await sql.execute(
        "INSERT INTO entity (entity_type, id, body) VALUES ('t', 'a', '2'), ('t', 'b', '2') "
        "ON CONFLICT (entity_type, id) DO UPDATE SET body = excluded.body"
    )
    assert [entity_id for entity_id, _ in await changes(sql)] in (["a", "a", "b"], ["a", "b", "a"])


async def test_an_upsert_that_does_nothing_notes_nothing(sql: asyncpg.Connection):
    await insert(sql)
    await sql.execute("INSERT INTO entity (entity_type, id, body) VALUES ('t', 'a', '2') ON CONFLICT DO NOTHING")
    assert len(await changes(sql)) == 1


async def test_a_plain_delete_leaves_a_tombstone_with_a_newer_version(sql: asyncpg.Connection):
    before = await insert(sql)
    await sql.execute("DELETE FROM entity WHERE id = 'a'")
    row = await sql.fetchrow("SELECT version, deleted, body FROM entity")
    assert (row["deleted"], row["body"]) == (True, None)
    assert row["version"] > before
    assert await changes(sql) == [("a", before), ("a", row["version"])]


async def test_a_plain_delete_and_insert_in_one_transaction_or_two_goes_on_working(sql: asyncpg.Connection):
    versions = [await insert(sql)]
    await sql.execute("DELETE FROM entity")
    versions.append(await insert(sql, body="2"))
    async with sql.transaction():
        await sql.execute("DELETE FROM entity")
        versions.append(await insert(sql, body="3"))
    assert versions == sorted(set(versions))
    assert await sql.fetchval("SELECT count(*) FROM entity") == 1
    assert len(await changes(sql)) == len({version for _, version in await changes(sql)}) == 5


async def test_what_is_created_over_a_tombstone_is_as_young_as_that(sql: asyncpg.Connection):
    await insert(sql)
    before = await sql.fetchval("SELECT created_at FROM entity")
    await sql.execute("UPDATE entity SET deleted = true")
    await sql.fetchval(PUT, "a", "2")
    assert await sql.fetchval("SELECT created_at > $1 AND created_at = updated_at FROM entity", before)


async def test_a_tombstone_keeps_neither_body_nor_lifetime(sql: asyncpg.Connection):
    await insert(sql)
    await sql.execute("UPDATE entity SET cache_ttl_seconds = 5")
    await sql.execute("UPDATE entity SET deleted = true")
    assert await sql.fetchval("SELECT body IS NULL AND cache_ttl_seconds IS NULL FROM entity")


async def test_a_renamed_row_leaves_a_tombstone_at_its_old_key(sql: asyncpg.Connection):
    before = await insert(sql, "a")
    await sql.execute("UPDATE entity SET id = 'b' WHERE id = 'a'")
    rows = {r["id"]: r for r in await sql.fetch("SELECT id, version, deleted FROM entity")}
    assert (rows["a"]["deleted"], rows["b"]["deleted"]) == (True, False)
    assert min(rows["a"]["version"], rows["b"]["version"]) > before
    assert {("a", rows["a"]["version"]), ("b", rows["b"]["version"])} <= set(await changes(sql))


async def test_a_row_may_be_renamed_to_a_key_that_was_used_before(sql: asyncpg.Connection):
    await insert(sql, "a")
    await sql.execute("UPDATE entity SET id = 'b' WHERE id = 'a'")
    await sql.execute("UPDATE entity SET id = 'a' WHERE id = 'b'")
    rows = {r["id"]: r["deleted"] for r in await sql.fetch("SELECT id, deleted FROM entity")}
    assert rows == {"a": False, "b": True}


async def test_what_is_rolled_back_leaves_no_change(sql: asyncpg.Connection):
    transaction = sql.transaction()
    await transaction.start()
    await insert(sql)
    await transaction.rollback()
    assert await changes(sql) == []


@pytest.mark.parametrize("table", ["entity", "change"])
async def test_a_truncate_begins_another_epoch(sql: asyncpg.Connection, table: str):
    before = await generation(sql)
    await insert(sql)
    assert await generation(sql) == before
    await sql.execute(f"TRUNCATE {table}")
    after = await generation(sql)
    assert after.partition(".")[0] == before.partition(".")[0]
    assert int(after.partition(".")[2]) > int(before.partition(".")[2])


async def test_another_database_is_another_generation(
    sql: asyncpg.Connection, empty_database_url: str, database_url: str
):
    from service.db.migrations import upgrade

    await asyncio.to_thread(upgrade, empty_database_url)
    elsewhere = await asyncpg.connect(empty_database_url)
    try:
        assert await generation(elsewhere) != await generation(sql)
    finally:
        await elsewhere.close()


@pytest.mark.parametrize(
    "values",
    [
        "('T', 'a', '1')",
        "('t', '', '1')",
        "('t', ' a', '1')",
        "('t', 'a b', '1')",
        "('t', E'a\\nb', '1')",
        "('t:u', 'a', '1')",
        "('t', 'a', NULL)",
        "('t', 'a', '1', 0)",
    ],
)
async def test_what_could_not_be_cached_under_its_name_is_refused(sql: asyncpg.Connection, values: str):
    columns = "entity_type, id, body" + (", cache_ttl_seconds" if values.count(",") == 3 else "")
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(f"INSERT INTO entity ({columns}) VALUES {values}")
