"""A client of a real replica, which the tests of a module share: each uses an entity of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from service.embedded import Valkey
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
        await until_ready(client)
        yield client


@pytest.fixture
def path() -> str:
    """Of an entity that no other test knows."""
    return f"/v1/entities/country/X{next(_numbers)}"


async def until_ready(client: httpx.AsyncClient) -> None:
    """Return when /readyz says so, in full; the test's own timeout ends it otherwise."""
    while (await client.get("/readyz")).json()["status"] != "ready":
        pass
