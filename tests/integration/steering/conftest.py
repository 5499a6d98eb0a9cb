"""Two replicas on one database and one Valkey, which most of these tests share; and rows to warm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import pytest

from service.embedded import Valkey, private_valkey
from tests.support.databases import DatabaseMint
from tests.support.fleet import fleet
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

ROWS = "INSERT INTO entity (entity_type, id, body) SELECT $1, 'i' || n, '{}' FROM generate_series(1, $2::int) n"


@pytest.fixture(scope="package")
def pair_database_url(database_mint: DatabaseMint) -> Iterator[str]:
    with database_mint.database() as url:
        yield url


@pytest.fixture(scope="package")
def pair_valkey() -> Iterator[Valkey]:
    with private_valkey() as server:
        yield server


@pytest.fixture(scope="package")
def pair(
    tmp_path_factory: pytest.TempPathFactory, pair_database_url: str, pair_valkey: Valkey
) -> Iterator[list[ServiceProcess]]:
    urls = {"DATABASE_URL": pair_database_url, "REDIS_URL": pair_valkey.url}
    with fleet(tmp_path_factory.mktemp("steered"), 2, **urls) as replicas:
        yield replicas


@pytest.fixture
async def client(pair: list[ServiceProcess]) -> AsyncIterator[httpx.AsyncClient]:
    """Of the first replica, whose cache is on."""
    async with httpx.AsyncClient(base_url=pair[0].url) as client:
        await until_on(client)
        yield client


@pytest.fixture
async def other(pair: list[ServiceProcess]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pair[1].url) as client:
        yield client


@pytest.fixture
async def rows(pair_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(pair_database_url)
    yield connection
    await connection.close()


async def until_on(client: httpx.AsyncClient) -> None:
    """The cache is on: somebody leads the relay."""

    async def is_ready() -> bool:
        return (await client.get("/readyz")).json()["status"] == "ready"

    await eventually(is_ready, within_seconds=30)


async def until_over(client: httpx.AsyncClient, location: str) -> dict[str, object]:
    """The job, once it has ended."""
    found: dict[str, object] = {}

    async def is_over() -> bool:
        found.update((await client.get(location)).json())
        return found["state"] in {"done", "failed", "cancelled"}

    await eventually(is_over, within_seconds=60)
    return found
