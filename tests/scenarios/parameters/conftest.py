"""Two replicas over a PostgreSQL that logs what it is asked and a Valkey that counts, shared by the package's tests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from service.embedded import Postgres, Valkey, private_postgres, private_valkey
from tests.support.databases import DatabaseMint
from tests.support.fleet import fleet
from tests.support.service_process import ServiceProcess
from tests.support.statements import LOGGED
from tests.support.valkey_commands import command


@pytest.fixture(scope="package")
def logging_postgres() -> Iterator[Postgres]:
    with private_postgres(settings=LOGGED) as server:
        yield server


@pytest.fixture(scope="package")
def logging_mint(logging_postgres: Postgres) -> DatabaseMint:
    """Makes databases there: the replicas' own, and others for replicas of a test's own."""
    return DatabaseMint(logging_postgres)


@pytest.fixture(scope="package")
def logged_database_url(logging_mint: DatabaseMint) -> Iterator[str]:
    with logging_mint.database() as url:
        yield url


@pytest.fixture(scope="package")
def counting_valkey() -> Iterator[Valkey]:
    with private_valkey() as server:
        yield server


@pytest.fixture(scope="package")
def two_replicas(
    tmp_path_factory: pytest.TempPathFactory, logged_database_url: str, counting_valkey: Valkey
) -> Iterator[list[ServiceProcess]]:
    environment = {
        "DATABASE_URL": logged_database_url,
        "REDIS_URL": counting_valkey.url,
        # As rarely as settings allow: where the relay tells of a write before the writer does, the next read is a miss.
        "ASIDE_BOUND_SECONDS": "60",
        "ASIDE_RELAY__POLL_SECONDS": "15",
        "ASIDE_AUDIT__SAMPLES_PER_SECOND": "0",  # its statements and reads would be counted too
    }
    with fleet(tmp_path_factory.mktemp("fleet"), 2, **environment) as replicas:
        yield replicas


@pytest.fixture
async def clients(two_replicas: list[ServiceProcess]) -> AsyncIterator[list[httpx.AsyncClient]]:
    """One for each replica, whose caches are on."""
    made = [httpx.AsyncClient(base_url=replica.url, timeout=20) for replica in two_replicas]
    for client in made:
        while (await client.get("/readyz")).json()["status"] != "ready":
            pass
        while (await client.get("/v1/parameters/any")).headers["cache-status"].endswith("cache-off"):
            pass
    yield made
    for client in made:
        await client.aclose()


def calls(valkey: Valkey, name: str) -> int:
    """How often a command has been called, as Valkey counts."""
    found = re.search(rf"cmdstat_{name}:calls=(\d+)", command(valkey.url, "INFO", "commandstats") or "")
    return int(found[1]) if found else 0
