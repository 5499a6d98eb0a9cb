"""Keys of requests in PostgreSQL: noted with the write or not at all, by one transaction at a time, and forgotten."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from service.cache.recorder import NullRecorder
from service.db.batches import BatchTable
from service.db.changes import RelaySession
from service.db.entities import EntityTable
from service.db.pool import Database
from service.db.repeats import RepeatTable
from service.domain.batch import Verb, Write
from service.domain.entity import ALWAYS, EntityKey, WriteCondition
from service.domain.repeatable import Repeatable, digest_of
from service.errors import (
    BatchRefusedError,
    KeyReusedError,
    NotFoundError,
    PreconditionFailedError,
    RepeatUnderWayError,
    TooLargeError,
)
from service.parts import build_relay
from service.settings import IdempotencySettings, Settings
from tests.support.waiting import eventually

KEY = EntityKey("thing", "x")
ONE = Repeatable("", "one", digest_of(b"1"))
NEVER = WriteCondition(if_match=frozenset({10**9}))


@pytest.fixture
def repeats(database: Database) -> RepeatTable:
    return RepeatTable(database)


async def put(table: EntityTable, request: Repeatable = ONE, condition: WriteCondition = ALWAYS):
    return await table.put(KEY, '{"n": 1}', condition=condition, ttl_seconds=None, repeatable=request)


async def count(sql: asyncpg.Connection, table: str = "idempotency_key") -> int:
    return int(await sql.fetchval(f"SELECT count(*) FROM {table}"))


async def test_what_was_written_is_recalled_as_it_was(table: EntityTable, repeats: RepeatTable):
    assert await repeats.recall(ONE) is None
    written = await put(table)
    assert await repeats.recall(ONE) == [written]
    two, three = ONE._replace(key="two"), ONE._replace(key="three")
    patched = await table.patch(KEY, '{"m": 2}', condition=ALWAYS, ttl_seconds=None, repeatable=two)
    deleted = await table.delete(KEY, condition=ALWAYS, repeatable=three)
    assert [await repeats.recall(each) for each in (ONE, two, three)] == [[written], [patched], [deleted]]
    assert (written.created, patched.created, deleted.body) == (True, False, None)


async def test_another_request_of_the_same_client_is_refused_and_the_same_key_of_another_client_is_another(
    table: EntityTable, repeats: RepeatTable
):
    await put(table)
    with pytest.raises(KeyReusedError):
        await repeats.recall(ONE._replace(digest=digest_of(b"2")))
    assert await repeats.recall(ONE._replace(client="shop")) is None


async def test_what_was_not_written_is_not_noted(sql: asyncpg.Connection, table: EntityTable, database: Database):
    with pytest.raises(PreconditionFailedError):
        await put(table, condition=NEVER)
    with pytest.raises(NotFoundError):
        await table.delete(KEY, condition=ALWAYS, repeatable=ONE)
    await put(table, ONE._replace(key="zero"))
    with pytest.raises(TooLargeError):
        await table.patch(KEY, f'"{"x" * 2_000}"', condition=ALWAYS, ttl_seconds=None, repeatable=ONE)
    batches = BatchTable(database, max_body_bytes=1_000)
    with pytest.raises(BatchRefusedError):
        await batches.write([Write(Verb.PUT, KEY, "1", NEVER)], with_bodies=False, repeatable=ONE)
    assert await sql.fetchval("SELECT string_agg(key, ' ') FROM idempotency_key") == "zero"
    assert (await put(table)).version > 0  # the key is still free


async def test_a_transaction_that_is_undone_takes_the_note_with_it(sql: asyncpg.Connection, table: EntityTable):
    """After the note, at the commit: a check that is deferred until then."""
    await sql.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
        "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON idempotency_key DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(asyncpg.PostgresError, match="no"):
        await put(table)
    assert (await count(sql), await count(sql, "entity")) == (0, 0)


async def test_a_batch_is_recalled_without_its_documents(database: Database, repeats: RepeatTable):
    batches = BatchTable(database, max_body_bytes=1_000)
    await batches.write([Write(Verb.PUT, EntityKey("thing", "b"), "1")], with_bodies=False)
    writes = [Write(Verb.PUT, KEY, "1"), Write(Verb.DELETE, EntityKey("thing", "b"))]
    rows = await batches.write(writes, with_bodies=True, repeatable=ONE)
    recalled = await repeats.recall(ONE)
    assert recalled is not None
    assert [(row.version, row.created, row.modified_at_ms, row.body) for row in recalled] == [
        (row.version, row.created, row.modified_at_ms, None) for row in rows
    ]


async def test_while_the_first_is_under_way_a_second_one_is_told_so_at_once_whatever_it_asks_for(
    sql: asyncpg.Connection, other: asyncpg.Connection, table: EntityTable, database: Database
):
    await sql.execute("INSERT INTO entity (entity_type, id, body) VALUES ('thing', 'x', '1')")
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT FROM entity FOR UPDATE")
    first = asyncio.create_task(put(table))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await eventually(lambda: sql.fetchval(waits))
    with pytest.raises(RepeatUnderWayError):
        await put(table, ONE._replace(digest=digest_of(b"2")))
    batches = BatchTable(database, max_body_bytes=1_000)
    with pytest.raises(RepeatUnderWayError):
        await batches.write([Write(Verb.PUT, EntityKey("thing", "y"), "1")], with_bodies=False, repeatable=ONE)
    assert not first.done()
    await lock.rollback()
    await first
    with pytest.raises(RepeatUnderWayError):  # it was looked for too early, and is there now
        await put(table)
    assert await count(sql, "change") == 2


async def test_what_was_done_long_ago_is_forgotten_a_bounded_step_at_a_time(
    sql: asyncpg.Connection, table: EntityTable, database: Database
):
    for number in range(5):
        await put(table, ONE._replace(key=f"k{number}"))
    await sql.execute("UPDATE idempotency_key SET at = at - interval '2 hours' WHERE key <> 'k4'")
    session = await RelaySession.lead(database, idle_seconds=60)
    assert session is not None
    assert [await session.prune_repeats(after_seconds=3_600, at_most=3) for _ in range(3)] == [3, 1, 0]
    assert await sql.fetchval("SELECT key FROM idempotency_key") == "k4"
    session.close()


async def test_the_relay_forgets_what_the_settings_let_it_forget(
    sql: asyncpg.Connection, table: EntityTable, database: Database
):
    for number in range(2):
        await put(table, ONE._replace(key=f"k{number}"))
    await sql.execute("UPDATE idempotency_key SET at = at - interval '2 hours' WHERE key = 'k0'")
    settings = Settings(idempotency=IdempotencySettings(retention_seconds=3_600))
    relay = build_relay(settings, database, NullRecorder(), lambda _: None)
    session = await RelaySession.lead(database, idle_seconds=60)
    assert session is not None
    await relay._prune(session)
    assert await sql.fetchval("SELECT string_agg(key, ' ') FROM idempotency_key") == "k1"
    session.close()
    await relay.stop()
