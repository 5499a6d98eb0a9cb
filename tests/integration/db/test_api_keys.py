"""The table of keys keeps its own rules, whoever writes to it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

INSERT = """
INSERT INTO api_key (id, name, digest, scopes, replaces)
VALUES ($1, $2, sha256(convert_to($1::text, 'UTF8')), '{read:*}', $3)
"""
EDITION = "SELECT number FROM api_key_edition"


async def test_of_one_name_one_key_is_live_and_a_second_one_only_as_its_successor(sql: asyncpg.Connection):
    await sql.execute(INSERT, "a", "shop", None)
    with pytest.raises(asyncpg.PostgresError, match="of shop there are 1 live keys"):
        await sql.execute(INSERT, "b", "shop", None)
    await sql.execute(INSERT, "b", "shop", "a")
    with pytest.raises(asyncpg.PostgresError, match="of shop there are 2 live keys"):
        await sql.execute(INSERT, "c", "shop", "b")
    await sql.execute("UPDATE api_key SET revoked_at = now() WHERE id = 'a'")
    await sql.execute(INSERT, "c", "shop", "b")


async def test_two_that_are_made_at_the_same_time_are_counted_one_after_the_other(
    sql: asyncpg.Connection, database_url: str
):
    other = await asyncpg.connect(database_url)
    try:
        async with sql.transaction():
            await sql.execute(INSERT, "a", "shop", None)
            second = asyncio.create_task(other.execute(INSERT, "b", "shop", None))
            watcher = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            while not await sql.fetchval(watcher):
                assert not second.done()
        with pytest.raises(asyncpg.PostgresError, match="there are 1 live keys"):
            await second
    finally:
        await other.close()


async def test_the_edition_moves_with_every_change_but_not_with_a_use(sql: asyncpg.Connection):
    await sql.execute(INSERT, "a", "shop", None)
    made = await sql.fetchval(EDITION)
    await sql.execute("UPDATE api_key SET last_used_at = now()")
    assert await sql.fetchval(EDITION) == made
    for change in (
        "UPDATE api_key SET scopes = '{read:x}'",
        "UPDATE api_key SET expires_at = now()",
        "UPDATE api_key SET revoked_at = now()",
        "DELETE FROM api_key",
    ):
        before = await sql.fetchval(EDITION)
        await sql.execute(change)
        assert await sql.fetchval(EDITION) > before
    events = await sql.fetch("SELECT kind, actor, said ? 'digest' AS tells FROM api_key_event ORDER BY number")
    assert [event["kind"] for event in events] == ["created", "changed", "changed", "revoked", "removed"]
    assert {(event["actor"], event["tells"]) for event in events} == {("postgresql:postgres", False)}


async def test_a_truncation_is_a_change_too(sql: asyncpg.Connection):
    await sql.execute(INSERT, "a", "shop", None)
    before = await sql.fetchval(EDITION)
    await sql.execute("TRUNCATE api_key")
    assert await sql.fetchval(EDITION) > before
    assert await sql.fetchval("SELECT reason FROM api_key_event ORDER BY number DESC LIMIT 1") == "TRUNCATE"
