"""Servers for the stampedes: a PostgreSQL that logs what it is asked, and three replicas for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.embedded import Postgres, Valkey, private_postgres, private_valkey
from tests.support.databases import DatabaseMint
from tests.support.fleet import fleet
from tests.support.service_process import ServiceProcess
from tests.support.statements import LOGGED


@pytest.fixture(scope="package")
def logging_postgres() -> Iterator[Postgres]:
    with private_postgres(settings=LOGGED) as server:
        yield server


@pytest.fixture(scope="package")
def logged_database_url(logging_postgres: Postgres) -> Iterator[str]:
    with DatabaseMint(logging_postgres).database() as url:
        yield url


@pytest.fixture(scope="package")
def fleet_valkey() -> Iterator[Valkey]:
    with private_valkey() as server:
        yield server


@pytest.fixture(scope="package")
def three_replicas(
    tmp_path_factory: pytest.TempPathFactory, logged_database_url: str, fleet_valkey: Valkey
) -> Iterator[list[ServiceProcess]]:
    """Shared by all stampedes. B is long: they stand still while a crowd gathers, and so does their relay."""
    urls = {
        "DATABASE_URL": logged_database_url,
        "REDIS_URL": fleet_valkey.url,
        "ASIDE_BOUND_SECONDS": "30",
        "ASIDE_REDIS__LEASE_WAIT_SECONDS": "5",
        "ASIDE_AUDIT__SAMPLES_PER_SECOND": "0",  # its statements and reads would be counted too
    }
    with fleet(tmp_path_factory.mktemp("fleet"), 3, **urls) as replicas:
        yield replicas
