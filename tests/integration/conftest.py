"""A plain connection to a test's database, and a real replica that the tests of a module share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from service.embedded import Valkey
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody with psql: a connection that knows nothing of Aside."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def shared_replica(
    module_database_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    command(valkey.url, "FLUSHALL")
    log: Path = tmp_path_factory.mktemp("replica") / "log"
    replica = ServiceProcess(log, {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url}, is_forked=True)
    try:
        yield replica.start()
    finally:
        replica.kill()
