"""The schema: made, taken away, made again; by many at once; and the same as the metadata says."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.db import tables
from service.db.migrations import downgrade, head, upgrade
from service.db.pool import connect
from service.db.revision import HEAD, VERSION_TABLE
from service.errors import DatabaseUnavailableError
from tests.conftest import PostgresFactory

ROOT = Path(__file__).parents[3]
OBJECTS = """
SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
"""


async def objects(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {record[0] for record in await connection.fetch(OBJECTS)}
    finally:
        await connection.close()


async def run_sync(url: str, function: Any) -> Any:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(function)
    finally:
        await engine.dispose()


async def test_up_down_and_up_again_leaves_what_up_alone_does(empty_database_url: str):
    await asyncio.to_thread(upgrade, empty_database_url)
    first = await objects(empty_database_url)
    assert {"relation entity", "function aside_stamp", "trigger entity_stamp"} <= first
    await asyncio.to_thread(downgrade, empty_database_url, "base")
    assert await objects(empty_database_url) == {
        f"relation {VERSION_TABLE}", f"relation {VERSION_TABLE}_pkc",
    }  # fmt: skip
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await objects(empty_database_url) == first


async def test_upgrading_what_is_up_to_date_changes_nothing(database_url: str):
    before = await objects(database_url)
    await asyncio.to_thread(upgrade, database_url)
    assert await objects(database_url) == before


async def test_the_migrated_schema_is_what_the_metadata_says(database_url: str):
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        )
        return compare_metadata(context, tables.metadata)

    assert await run_sync(database_url, differences) == []


async def test_what_the_metadata_would_create_is_what_the_migrations_created(
    database_url: str, empty_database_url: str
):
    """The other direction: constraints, defaults and collations too, which a comparison of metadata leaves out."""
    await run_sync(empty_database_url, lambda connection: create_all(connection, tables.metadata))
    assert await described(empty_database_url) == await described(database_url)


def create_all(connection: Connection, metadata: MetaData) -> None:
    """Functions live in the migrations; here the name of the one that a check uses is enough."""
    connection.exec_driver_sql("CREATE FUNCTION aside_parameter_is_true(jsonb) RETURNS boolean RETURN true")
    metadata.create_all(connection)
    connection.commit()


async def described(url: str) -> set[tuple[Any, ...]]:
    """Columns, constraints, indexes and sequences, in PostgreSQL's own words."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            """
            SELECT 'column', table_name::text, column_name::text,
                   concat_ws(' ', data_type, collation_name, is_nullable, column_default)
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> $1
            UNION ALL
            SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> $1
            UNION ALL
            SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes
            WHERE schemaname = 'public' AND tablename <> $1
            UNION ALL
            SELECT 'sequence', sequencename::text, '', concat_ws(' ', data_type, start_value, max_value, increment_by)
            FROM pg_sequences WHERE schemaname = 'public'
            """,
            VERSION_TABLE,
        )
    finally:
        await connection.close()
    return {tuple(row) for row in rows}


def test_the_revision_that_this_code_expects_is_the_newest_migration():
    assert head() == HEAD


async def test_many_threads_may_migrate_at_once(empty_database_url: str):
    with ThreadPoolExecutor(max_workers=6) as threads:
        for migrated in [threads.submit(upgrade, empty_database_url) for _ in range(6)]:
            await asyncio.wrap_future(migrated)
    assert await revision(empty_database_url) == head()


async def test_many_processes_may_migrate_at_once(empty_database_url: str):
    program = "import sys; from service.db.migrations import upgrade; upgrade(sys.argv[1])"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, empty_database_url, cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    for process in processes:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    assert await revision(empty_database_url) == head()


async def revision(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}"))
    finally:
        await connection.close()


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str):
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("CREATE TABLE ledger (somebody integer)")
    finally:
        await connection.close()
    with pytest.raises(Exception, match='relation "ledger" already exists'):
        await asyncio.to_thread(upgrade, empty_database_url)
    assert "relation entity" not in await objects(empty_database_url)


async def test_a_server_that_cannot_be_reached_is_reported_as_such(postgres_factory: PostgresFactory):
    server = postgres_factory()
    server.kill()
    with pytest.raises(DatabaseUnavailableError):
        await asyncio.to_thread(upgrade, server.url)
