"""The oldest PostgreSQL that Aside promises to work on: 15, where Debian has put it on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from service.db.entities import EntityTable
from service.db.migrations import downgrade, upgrade
from service.db.sql import sql as text_of
from service.domain.entity import ALWAYS, EntityKey
from service.embedded import Postgres
from service.embedded.discovery import DEBIAN_POSTGRES, PostgresPrograms
from service.embedded.private import TEST_SETTINGS, private_folder
from tests.integration.db.conftest import make_database
from tests.integration.db.test_merge_patch import MERGE
from tests.integration.db.test_named_sql import NAMES

INSTALLED = sorted(folder for folder in DEBIAN_POSTGRES.glob("*/bin") if PostgresPrograms.inside(folder))
JP = EntityKey("country", "JP")


@pytest.fixture(params=INSTALLED, ids=lambda folder: folder.parent.name)
def old_postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    folder: Path = request.param
    with private_folder() as data:
        server = Postgres(data, programs=PostgresPrograms.inside(folder), is_durable=False, settings=TEST_SETTINGS)
        try:
            yield server.start()
        finally:
            server.kill()


async def test_the_schema_and_every_statement_work(old_postgres: Postgres):
    url = old_postgres.url
    await asyncio.to_thread(upgrade, url)
    connection = await asyncpg.connect(url)
    try:
        for name in NAMES:
            await connection.prepare(text_of(name))
        assert await connection.fetchval(MERGE, '{"a": 1}', '{"a": null, "b": 2}') == '{"b": 2}'
        await smoke(url, connection)
    finally:
        await connection.close()
    await asyncio.to_thread(downgrade, url, "base")


async def smoke(url: str, connection: asyncpg.Connection) -> None:
    """A write of each kind, a load, a change for each version."""
    database = make_database(url)
    table = EntityTable(database, max_body_bytes=1_000)
    try:
        versions = [
            (await table.put(JP, '{"a": 1}', condition=ALWAYS, ttl_seconds=None)).version,
            (await table.patch(JP, '{"b": 2}', condition=ALWAYS, ttl_seconds=None)).version,
            (await table.delete(JP, condition=ALWAYS)).version,
        ]
        [(row, coverage)] = await table.load_with_coverage([JP])
    finally:
        await database.close()
    assert (row.version, row.body, coverage.covered) == (versions[-1], None, True)
    assert [r["version"] for r in await connection.fetch("SELECT version FROM change ORDER BY 1")] == versions
