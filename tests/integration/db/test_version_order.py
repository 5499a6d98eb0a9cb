"""Races R3 and R4: of one key, versions grow in the order of the commits, whatever the interleaving."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.integration.db.test_triggers import PUT, insert, version_of
from tests.support.waiting import eventually

SEEN = """
SELECT count(*) FROM change a JOIN change b ON a.id = b.id AND a.version < b.version
WHERE a.at > b.at
"""


async def is_waiting(sql: asyncpg.Connection, pid: int) -> bool:
    return bool(await sql.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid))


async def test_who_waits_for_the_row_takes_its_version_after_who_had_it(
    sql: asyncpg.Connection, other: asyncpg.Connection, database_url: str
):
    await insert(sql)
    third = await asyncpg.connect(database_url)
    try:
        transaction = sql.transaction()
        await transaction.start()
        await sql.execute("UPDATE entity SET body = '2'")
        waiting = asyncio.ensure_future(other.fetchval("UPDATE entity SET body = '3' RETURNING version"))
        await eventually(lambda: is_waiting(third, other.get_server_pid()))
        burnt = await third.fetchval("SELECT nextval('entity_version')")
        await transaction.commit()
        assert await waiting > burnt
    finally:
        await third.close()


async def test_who_waits_for_an_insert_of_the_same_key_comes_after_it(
    sql: asyncpg.Connection, other: asyncpg.Connection, database_url: str
):
    third = await asyncpg.connect(database_url)
    try:
        transaction = sql.transaction()
        await transaction.start()
        first = await sql.fetchval(PUT, "a", "1")
        waiting = asyncio.ensure_future(other.fetchval(PUT, "a", "2"))
        await eventually(lambda: is_waiting(third, other.get_server_pid()))
        burnt = await third.fetchval("SELECT nextval('entity_version')")
        await transaction.commit()
        assert await waiting > burnt > first
    finally:
        await third.close()


async def test_two_who_create_over_one_tombstone_both_succeed_in_order(
    sql: asyncpg.Connection, other: asyncpg.Connection, database_url: str
):
    await insert(sql)
    await sql.execute("DELETE FROM entity")
    third = await asyncpg.connect(database_url)
    try:
        transaction = sql.transaction()
        await transaction.start()
        first = await sql.fetchval(PUT, "a", "1")
        waiting = asyncio.ensure_future(other.fetchval(PUT, "a", "2"))
        await eventually(lambda: is_waiting(third, other.get_server_pid()))
        await transaction.commit()
        assert await waiting > first
        assert await version_of(sql) == await waiting
    finally:
        await third.close()


async def test_many_writers_at_once_leave_one_change_per_version_in_the_order_of_time(database_url: str):
    writers = await asyncio.gather(*[asyncpg.connect(database_url) for _ in range(8)])

    async def write(connection: asyncpg.Connection, number: int) -> list[int]:
        taken = []
        for n in range(25):
            if (n + number) % 5 == 0:
                await connection.execute("DELETE FROM entity WHERE id = 'a' AND NOT deleted")
            taken.append(await connection.fetchval(PUT, "a", str(n)))
        return taken

    try:
        taken = await asyncio.gather(*[write(connection, number) for number, connection in enumerate(writers)])
        connection = writers[0]
        assert all(each == sorted(each) for each in taken)
        noted = {r["version"] for r in await connection.fetch("SELECT version FROM change")}
        assert {version for each in taken for version in each} <= noted
        assert await connection.fetchval(SEEN) == 0
        newest = await connection.fetchval("SELECT max(version) FROM change")
        assert await version_of(connection) == newest
    finally:
        await asyncio.gather(*[connection.close() for connection in writers])
