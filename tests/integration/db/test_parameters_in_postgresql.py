"""What PostgreSQL does for parameters: the index behind a list, the history's keeping, the schema's truth."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from service.db import migrations
from service.db.sql import sql
from tests.support.databases import execute_sql


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


FILL = """INSERT INTO entity (entity_type, id, body)
    SELECT 'parameter', format('app:n%s:p%s', n % 100, n), '{"type": "integer", "value": 1}'
    FROM generate_series(1, {count}) n"""
"""Parameters in a hundred namespaces."""


@pytest.fixture(scope="module")
def hundred_thousand_url(module_database_url: str) -> str:
    execute_sql(module_database_url, FILL.replace("{count}", "100000"), "ANALYZE entity")
    return module_database_url


async def fill(database: asyncpg.Connection, count: int) -> None:
    await database.execute(FILL.replace("{count}", str(count)))
    await database.execute("ANALYZE entity")


async def plan_of(database: asyncpg.Connection, name: str, *args: object) -> str:
    """What PostgreSQL does where it has given up on planning for each set of arguments."""
    await database.execute(f"SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL; PREPARE asked AS {sql(name)}")
    given = ", ".join(f"'{arg}'" for arg in args)
    records = await database.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) EXECUTE asked ({given})")
    return "\n".join(record[0] for record in records)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("after", "prefix", "beyond", "found"),
    [
        ("", "app:n7:", "app:n7;", 101),
        ("app:n7:p50007", "app:n7:", "app:n7;", 101),
        ("app:n7:p99", "app:n7:", "app:n7;", 11),
        ("", "none:", "none;", 0),
        ("", "", "\x7f", 101),
    ],
    ids=["first page", "a page", "last page", "no such prefix", "no prefix"],
)
async def test_a_page_of_a_hundred_thousand_parameters_is_read_by_the_index_and_nothing_else_is_touched(
    hundred_thousand_url: str, *, after: str, prefix: str, beyond: str, found: int
) -> None:
    database = await asyncpg.connect(hundred_thousand_url)
    plan = await plan_of(database, "list_parameters", after, prefix, beyond, 101)
    await database.close()
    assert "Index Scan using entity_pkey" in plan, plan
    assert re.search(r"Index Cond: .*entity_type = .*id > .*id >= .*id < ", plan), plan
    assert not re.search("Sort|Seq Scan|Rows Removed", plan), plan
    assert re.match(rf"Limit \(actual rows={found}(\.00)? ", plan), plan


async def test_the_history_is_read_by_its_indexes(database: asyncpg.Connection) -> None:
    await fill(database, 20_000)
    await database.execute("ANALYZE parameter_version")
    for name, args in (
        ("parameter_by_version", ("app:n7:p7", 7)),
        ("parameter_versions", ("app:n7:p7", 2**62, 10)),
        ("prune_parameter_versions", (1.0, 10)),
    ):
        plan = await plan_of(database, name, *args)
        assert "Seq Scan" not in plan, plan


async def history(database: asyncpg.Connection) -> list[tuple[str, str]]:
    records = await database.fetch("SELECT key, kind FROM parameter_version ORDER BY version")
    return [(record["key"], record["kind"]) for record in records]


async def test_what_is_superseded_long_enough_is_forgotten_and_what_holds_is_kept(database: asyncpg.Connection) -> None:
    body = '{"type": "integer", "value": 1}'
    for key in ("kept", "gone"):
        await database.execute("INSERT INTO entity (entity_type, id, body) VALUES ('parameter', $1, $2)", key, body)
        await database.execute("UPDATE entity SET body = body WHERE id = $1", key)
    await database.execute("DELETE FROM entity WHERE id = 'gone'")
    assert await database.execute(sql("prune_parameter_versions"), 3600.0, 100) == "DELETE 0"
    await database.execute("UPDATE parameter_version SET superseded_at = superseded_at - interval '2 hours'")
    assert await database.execute(sql("prune_parameter_versions"), 3600.0, 3) == "DELETE 3"
    assert await database.execute(sql("prune_parameter_versions"), 3600.0, 100) == "DELETE 1"
    assert await history(database) == [("kept", "updated")]


async def test_a_truncate_ends_every_parameter_in_the_history(database: asyncpg.Connection) -> None:
    await fill(database, 2)
    await database.execute("INSERT INTO entity (entity_type, id, body) VALUES ('country', 'JP', '{}')")
    await database.execute("TRUNCATE entity")
    assert await history(database) == [
        ("app:n1:p1", "created"), ("app:n2:p2", "created"), ("app:n1:p1", "deleted"), ("app:n2:p2", "deleted")
    ]  # fmt: skip
    await fill(database, 1)
    assert (await history(database))[-1] == ("app:n1:p1", "created")


async def test_other_entities_have_no_history(database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO entity (entity_type, id, body) VALUES ('country', 'JP', '{}')")
    await database.execute("UPDATE entity SET body = '5'")
    await database.execute("DELETE FROM entity")
    assert await history(database) == []


def test_parameters_can_be_taken_out_of_the_schema_and_put_back(empty_database_url: str) -> None:
    for step in (migrations.upgrade, lambda url: migrations.downgrade(url, "0001"), migrations.upgrade):
        in_thread(lambda step=step: step(empty_database_url))


def test_parameters_that_were_there_before_begin_their_history(empty_database_url: str) -> None:
    url = empty_database_url

    async def before() -> None:
        database = await asyncpg.connect(url)
        body = '{"type": "integer", "value": 1}'
        await database.execute("INSERT INTO entity (entity_type, id, body) VALUES ('parameter', 'old', $1)", body)
        await database.close()

    async def after() -> list[tuple[str, str]]:
        database = await asyncpg.connect(url)
        try:
            return await history(database)
        finally:
            await database.close()

    in_thread(lambda: migrations.upgrade(url, "0001"))
    in_thread(lambda: asyncio.run(before()))
    in_thread(lambda: migrations.upgrade(url))
    assert in_thread(lambda: asyncio.run(after())) == [("old", "created")]


def in_thread(work):
    """Alembic runs a loop of its own."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(work).result()
