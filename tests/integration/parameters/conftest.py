"""A client of a real replica, which the tests of a module share; every answer is held against the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import httpx
import pytest

from service.embedded import Valkey
from tests.support.openapi_truth import OpenApiTruth
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command

_numbers = count()


@pytest.fixture(scope="module")
def shared_replica(
    module_database_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    command(valkey.url, "FLUSHALL")
    log: Path = tmp_path_factory.mktemp("replica") / "log"
    replica = ServiceProcess(log, {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url})
    try:
        yield replica.start()
    finally:
        replica.kill()


@pytest.fixture
async def client(shared_replica: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    """Of a replica whose cache is on."""
    async with httpx.AsyncClient(base_url=shared_replica.url) as client:
        while (await client.get("/readyz")).json()["status"] != "ready":
            pass
        document = (await client.get("/openapi.json")).json()
        client.event_hooks = {"response": [OpenApiTruth(document)]}
        yield client


@pytest.fixture
async def database(module_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody's session in the replica's database."""
    connection = await asyncpg.connect(module_database_url)
    yield connection
    await connection.close()


@pytest.fixture
def key() -> str:
    """Of a parameter that no other test knows."""
    return f"test:n{next(_numbers)}:setting"


@pytest.fixture
def path(key: str) -> str:
    return f"/v1/parameters/{key}"
