"""PostgreSQL slow, busy, killed and gone: one error each, no request waits longer than promised, and all heals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.db.changes import RelaySession
from service.db.entities import EntityTable
from service.db.migrations import upgrade
from service.db.pool import Database
from service.domain.entity import ALWAYS, EntityKey
from service.errors import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    SchemaMissingError,
    UnavailableError,
    WriteOutcomeUnknownError,
)
from tests.conftest import PostgresFactory
from tests.integration.db.conftest import make_database
from tests.support.polling import turns
from tests.support.waiting import eventually

JP = EntityKey("country", "JP")
KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aside'"


@pytest.fixture
async def hasty(database_url: str) -> AsyncIterator[Database]:
    """A pool of three connections, none of which waits long."""
    made = make_database(database_url, statement_timeout_seconds=0.2, connections=1)
    yield made
    await made.close()


def table_of(database: Database) -> EntityTable:
    return EntityTable(database, max_body_bytes=1_000)


async def put(table: EntityTable, body: str = "1") -> int:
    return (await table.put(JP, body, condition=ALWAYS, ttl_seconds=None)).version


async def backends(sql: asyncpg.Connection) -> list[int]:
    """The service's connections that wait for a lock."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'aside' AND wait_event_type = 'Lock'"
    return [record["pid"] for record in await sql.fetch(query)]


async def test_a_statement_that_takes_too_long_is_given_up_by_the_server(hasty: Database, sql: asyncpg.Connection):
    await put(table_of(hasty))
    async with sql.transaction():
        await sql.execute("LOCK TABLE entity")
        with pytest.raises(DatabaseBusyError):
            await table_of(hasty).load([JP])
        with pytest.raises(DatabaseBusyError):
            await put(table_of(hasty))
    assert hasty.available
    assert await put(table_of(hasty)) > 0


async def test_a_writer_who_finds_no_free_connection_is_told_that_all_are_busy(
    hasty: Database, sql: asyncpg.Connection
):
    await put(table_of(hasty))
    async with hasty.writing(), hasty.connection():
        started = time.monotonic()
        with pytest.raises(DatabaseBusyError):
            await put(table_of(hasty))
        assert time.monotonic() - started < 1.0
        assert (await table_of(hasty).load([JP]))[0].body == b"1"  # loads have their own share
    assert await put(table_of(hasty)) > 0


async def test_when_the_whole_pool_is_taken_nobody_waits_for_ever(hasty: Database):
    async with hasty.connection(), hasty.connection(), hasty.connection():
        with pytest.raises(DatabaseBusyError):
            await table_of(hasty).load([JP])
    assert await table_of(hasty).load([JP])


async def test_a_session_killed_in_the_middle_of_a_write_leaves_its_outcome_unknown(
    database: Database, sql: asyncpg.Connection
):
    table = table_of(database)
    before = await put(table)
    async with sql.transaction():
        await sql.execute("UPDATE entity SET body = '2'")
        write = asyncio.ensure_future(put(table, "3"))
        [pid] = await eventually(lambda: backends(sql))
        await sql.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(WriteOutcomeUnknownError):
            await write
    assert await put(table) > before


async def test_a_session_killed_in_the_middle_of_a_load_is_no_answer_and_the_next_one_succeeds(
    database: Database, sql: asyncpg.Connection
):
    table = table_of(database)
    await put(table)
    transaction = sql.transaction()
    await transaction.start()
    await sql.execute("LOCK TABLE entity")
    load = asyncio.ensure_future(table.load([JP]))
    [pid] = await eventually(lambda: backends(sql))
    await sql.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(DatabaseUnavailableError):
        await load
    await transaction.rollback()
    assert (await table.load([JP]))[0].body == b"1"


async def test_connections_that_were_killed_while_idle_cost_nobody_an_error_once_that_is_known(
    database: Database, sql: asyncpg.Connection
):
    table = table_of(database)
    async with database.connection() as one, database.connection() as two:
        idle = (one, two)  # in the pool, from here on
    await sql.execute(KILL_ALL)
    await eventually(lambda: all(connection.is_closed() for connection in idle))
    await asyncio.gather(put(table), table.load([JP]))


async def test_a_connection_that_is_killed_just_as_it_is_taken_is_an_outage_and_no_defect(
    database: Database, sql: asyncpg.Connection
):
    """The server's goodbye and the end of its stream arrive apart: asyncpg has an error of its own in between."""
    table = table_of(database)
    for round_number in range(60):
        await eventually(lambda: database.available)
        await asyncio.gather(put(table), table.load([JP]), return_exceptions=True)
        await sql.execute(KILL_ALL)
        await turns(round_number % 6)
        results = await asyncio.gather(put(table), table.load([JP]), return_exceptions=True)
        for error in (result for result in results if isinstance(result, BaseException)):
            assert isinstance(error, UnavailableError), f"{error!r} in round {round_number}"


async def test_a_cancelled_load_leaves_no_connection_in_the_middle_of_an_exchange(
    database: Database, sql: asyncpg.Connection
):
    table = table_of(database)
    await put(table)
    for _ in range(6):
        transaction = sql.transaction()
        await transaction.start()
        await sql.execute("LOCK TABLE entity")
        load = asyncio.ensure_future(table.load([JP]))
        await eventually(lambda: backends(sql))
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load
        await transaction.rollback()
        assert (await table.load([JP]))[0].body == b"1"


async def test_tables_that_are_not_there_are_a_missing_schema(empty_database_url: str):
    database = make_database(empty_database_url)
    try:
        with pytest.raises(SchemaMissingError):
            await table_of(database).load([JP])
        with pytest.raises(SchemaMissingError):
            await put(table_of(database))
        assert database.available
        await asyncio.to_thread(upgrade, empty_database_url)
        assert await put(table_of(database)) > 0
    finally:
        await database.close()


async def test_a_database_that_is_not_there_is_an_outage(database_url: str):
    database = make_database(database_url + "_none")
    try:
        with pytest.raises(DatabaseUnavailableError):
            await table_of(database).load([JP])
    finally:
        await database.close()


async def test_a_server_that_is_gone_is_an_outage_that_nobody_waits_for_and_that_heals_by_itself(
    postgres_factory: PostgresFactory,
):
    server = postgres_factory(is_durable=True)
    await asyncio.to_thread(upgrade, server.url)
    database = make_database(server.url)
    table = table_of(database)
    try:
        before = await put(table)
        await asyncio.to_thread(server.kill)
        for _ in range(2):
            with pytest.raises((DatabaseUnavailableError, WriteOutcomeUnknownError)):
                await put(table)
        assert not database.available
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailableError):
            await table.load([JP])
        assert time.monotonic() - started < 0.05
        await asyncio.to_thread(server.start)
        await eventually(lambda: database.available)
        assert await put(table) > before
    finally:
        await database.close()


async def test_a_server_that_answers_nobody_is_an_outage_after_the_time_it_is_given(
    postgres_factory: PostgresFactory,
):
    server = postgres_factory()
    await asyncio.to_thread(upgrade, server.url)
    database = make_database(server.url, statement_timeout_seconds=0.2)
    table = table_of(database)
    try:
        await put(table)
        await asyncio.to_thread(server.pause)
        started = time.monotonic()
        with pytest.raises(WriteOutcomeUnknownError):
            await put(table)
        assert time.monotonic() - started < 1.5
        await asyncio.to_thread(server.resume)

        async def is_written() -> bool:
            try:
                return await put(table) > 0
            except (DatabaseUnavailableError, WriteOutcomeUnknownError):
                return False

        assert await eventually(is_written)
    finally:
        server.resume()
        await database.close()


async def test_a_leader_that_sleeps_too_long_is_cut_off_and_learns_it(database: Database):
    session = await RelaySession.lead(database, idle_seconds=0.05)
    assert session is not None

    async def another_leads() -> RelaySession | None:
        return await RelaySession.lead(database, idle_seconds=5)

    other = await eventually(another_leads)
    assert other is not None
    with pytest.raises(DatabaseUnavailableError):
        await session.new_term()
    other.close()
