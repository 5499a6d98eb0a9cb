"""Forgetting: what is old and applied, never more, a bounded step at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.db.changes import RelaySession
from service.db.pool import Database
from tests.integration.db.test_triggers import PUT, insert

APPLIED = "UPDATE ledger SET applied = pg_current_snapshot()::text, generation = aside_generation()"
MONTH, AT_ONCE = 2_592_000.0, 0.0


@pytest.fixture
async def session(database: Database) -> AsyncIterator[RelaySession]:
    leading = await RelaySession.lead(database, idle_seconds=60)
    assert leading is not None
    yield leading
    leading.close()


async def prune(
    session: RelaySession, *, changes: float = AT_ONCE, tombstones: float = AT_ONCE, at_most: int = 100
) -> int:
    return await session.prune(changes_after_seconds=changes, tombstones_after_seconds=tombstones, at_most=at_most)


async def count(sql: asyncpg.Connection, table: str) -> int:
    return int(await sql.fetchval(f"SELECT count(*) FROM {table}"))


async def test_changes_that_were_applied_and_are_old_are_forgotten_and_how_far_is_noted(
    sql: asyncpg.Connection, session: RelaySession
):
    for n in range(3):
        await insert(sql, f"n{n}")
    newest = await sql.fetchval("SELECT max(xid)::text::bigint FROM change")
    await sql.execute(APPLIED)
    assert await prune(session) == 3
    assert await count(sql, "change") == 0
    assert await sql.fetchval("SELECT pruned_xid::text::bigint FROM ledger") == newest


async def test_changes_that_nobody_has_applied_are_kept(sql: asyncpg.Connection, session: RelaySession):
    await insert(sql, "a")
    await sql.execute(APPLIED)
    await insert(sql, "b")
    assert await prune(session) == 1
    assert [r["id"] for r in await sql.fetch("SELECT id FROM change")] == ["b"]


async def test_changes_that_were_applied_in_another_epoch_only_are_kept(sql: asyncpg.Connection, session: RelaySession):
    await insert(sql, "a")
    await sql.execute(APPLIED)
    await sql.execute("UPDATE epoch SET number = number + 1")
    assert await prune(session) == 0


async def test_young_changes_are_kept(sql: asyncpg.Connection, session: RelaySession):
    await insert(sql, "a")
    await sql.execute(APPLIED)
    assert await prune(session, changes=60.0) == 0


async def test_old_tombstones_are_removed_for_good_and_bury_nothing(sql: asyncpg.Connection, session: RelaySession):
    await insert(sql, "a")
    await insert(sql, "b")
    await sql.execute("DELETE FROM entity WHERE id = 'a'")
    await prune(session, changes=MONTH, tombstones=MONTH)
    assert await count(sql, "entity") == 2
    await prune(session, changes=MONTH)
    assert [r["id"] for r in await sql.fetch("SELECT id FROM entity")] == ["b"]


async def test_a_plain_delete_after_a_pruning_still_leaves_a_tombstone(sql: asyncpg.Connection, session: RelaySession):
    await insert(sql, "a")
    await sql.execute("DELETE FROM entity WHERE id = 'a'")
    await prune(session)
    await insert(sql, "b")
    await session._connection.execute("DELETE FROM entity WHERE id = 'b'")
    assert await sql.fetchval("SELECT deleted FROM entity WHERE id = 'b'")


async def test_a_key_whose_tombstone_is_gone_may_be_used_again_with_a_newer_version(
    sql: asyncpg.Connection, session: RelaySession
):
    first = await insert(sql, "a")
    await sql.execute("DELETE FROM entity WHERE id = 'a'")
    await prune(session)
    assert await sql.fetchval(PUT, "a", "2") > first + 1


async def test_each_step_is_bounded(sql: asyncpg.Connection, session: RelaySession):
    for n in range(5):
        await insert(sql, f"n{n}")
    await sql.execute("DELETE FROM entity")
    await sql.execute(APPLIED)
    assert await prune(session, at_most=2) == 4
    assert await count(sql, "change") == 8
    assert await count(sql, "entity") == 3
