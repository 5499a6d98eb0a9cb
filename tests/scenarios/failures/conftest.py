"""Two replicas that most of these tests share, with a Valkey that any of them may kill, pause and restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.embedded import Postgres, Valkey, private_postgres, private_valkey
from tests.support.databases import DatabaseMint
from tests.support.fleet import fleet
from tests.support.service_process import ServiceProcess


@pytest.fixture(scope="package")
def pair_database_url(database_mint: DatabaseMint) -> Iterator[str]:
    with database_mint.database() as url:
        yield url


@pytest.fixture(scope="package")
def _pair_valkey() -> Iterator[Valkey]:
    with private_valkey() as server:
        yield server


@pytest.fixture(scope="package")
def _pair(
    tmp_path_factory: pytest.TempPathFactory, pair_database_url: str, _pair_valkey: Valkey
) -> Iterator[list[ServiceProcess]]:
    urls = {"DATABASE_URL": pair_database_url, "REDIS_URL": _pair_valkey.url}
    with fleet(tmp_path_factory.mktemp("pair"), 2, ASIDE_BOUND_SECONDS="1", **urls) as replicas:
        yield replicas


@pytest.fixture
def pair_valkey(_pair_valkey: Valkey) -> Iterator[Valkey]:
    """The pair's Valkey, which runs again after each test, whatever was done to it."""
    yield _pair_valkey
    _pair_valkey.resume()
    if not _pair_valkey.is_running:
        _pair_valkey.start()


@pytest.fixture
def pair(_pair: list[ServiceProcess], pair_valkey: Valkey) -> Iterator[list[ServiceProcess]]:
    """Two replicas with B = 1 s, which both run again after each test."""
    yield _pair
    for replica in _pair:
        replica.resume()
        if not replica.is_running:
            replica.start()


@pytest.fixture(scope="package")
def _mortal_postgres() -> Iterator[Postgres]:
    with private_postgres(is_durable=True) as server:  # what it acknowledged survives its death
        yield server


@pytest.fixture
def mortal_postgres(_mortal_postgres: Postgres) -> Iterator[Postgres]:
    """A PostgreSQL that may be killed and paused; it runs again after each test."""
    yield _mortal_postgres
    _mortal_postgres.resume()
    if not _mortal_postgres.is_running:
        _mortal_postgres.start()


@pytest.fixture
def empty_mortal_database_url(_mortal_postgres: Postgres) -> Iterator[str]:
    """A fresh database on it, with no schema."""
    with DatabaseMint(_mortal_postgres).database(is_migrated=False) as url:
        yield url
