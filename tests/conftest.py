"""Real servers for every tier that asks for them. One that cannot be had is a failure, never a skip."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from service.embedded import Postgres, Valkey, private_postgres, private_valkey
from tests.rollout.release import is_there
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command

if TYPE_CHECKING:
    from tests.support.databases import DatabaseMint


def pytest_report_header() -> list[str]:
    """What is left out on this machine: never silently."""
    wanted = {
        "chromium": "tests/browser",
        "haproxy": "tests/rollout, tests/integration/deploy",
        "prometheus": "tests/alerts",
        "chromedriver": "tests/browser",
        "redis-server": "the contract's Redis leg",
        "wrk": "tests/bench",
        "promtool": "the configuration of Prometheus",
        "openssl": "TLS to both servers",
    }
    missing = [f"LEFT OUT, no {name} on PATH: {what}" for name, what in wanted.items() if shutil.which(name) is None]
    if not is_there():
        missing.append("LEFT OUT, no history that goes back to the release before: the upgrade from it (tests/rollout)")
    return missing


def pytest_configure() -> None:
    """Some tests hold a thousand connections; what a plain user gets at first is often too little for that.

    Shells start what they run in the background deaf to Ctrl-C, and all that it starts after it.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGINT, signal.default_int_handler)


class ValkeyFactory(Protocol):
    def __call__(self, *, options: Mapping[str, str] | None = None) -> Valkey: ...


class PostgresFactory(Protocol):
    def __call__(self, *, settings: Mapping[str, str] | None = None, is_durable: bool = False) -> Postgres: ...


class Replicas(Protocol):
    def __call__(self, count: int = 1, **environment: str) -> list[ServiceProcess]: ...


@pytest.fixture(autouse=True)
def _environment_as_before() -> Iterator[None]:
    """Commands that run in this process tell their children by its environment: the next test shall not hear of it."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for the whole session, shared by all: do not kill, pause or reconfigure it."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey for the whole session, shared by all: do not kill, pause or reconfigure it."""
    with private_valkey() as server:
        yield server


@pytest.fixture
def postgres_factory() -> Iterator[PostgresFactory]:
    """Makes started PostgreSQL servers that a test may do with as it likes."""
    with ExitStack() as stack:

        def make(*, settings: Mapping[str, str] | None = None, is_durable: bool = False) -> Postgres:
            return stack.enter_context(private_postgres(settings=settings, is_durable=is_durable))

        yield make


@pytest.fixture
def valkey_factory() -> Iterator[ValkeyFactory]:
    """Makes started Valkey servers that a test may do with as it likes."""
    with ExitStack() as stack:

        def make(*, options: Mapping[str, str] | None = None) -> Valkey:
            return stack.enter_context(private_valkey(options=options))

        yield make


@pytest.fixture(scope="session")
def database_mint(postgres: Postgres) -> DatabaseMint:
    """Makes databases on the shared server."""
    from tests.support.databases import DatabaseMint

    return DatabaseMint(postgres)


@pytest.fixture
def database_url(database_mint: DatabaseMint) -> Iterator[str]:
    """A fresh database with the newest schema."""
    with database_mint.database() as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(database_mint: DatabaseMint) -> Iterator[str]:
    """A database with the newest schema, shared by one module's tests."""
    with database_mint.database() as url:
        yield url


@pytest.fixture
def empty_database_url(database_mint: DatabaseMint) -> Iterator[str]:
    """A fresh database with no schema at all: for the tests of the migrations."""
    with database_mint.database(is_migrated=False) as url:
        yield url


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """The shared Valkey, emptied: of keys, and of the scripts it knew."""
    command(valkey.url, "FLUSHALL")
    command(valkey.url, "SCRIPT", "FLUSH")
    return valkey.url


@pytest.fixture
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replicas]:
    """Starts replicas of the service: `replicas(2, ASIDE_BOUND_SECONDS="1")`.

    They share this test's database and Valkey, unless `DATABASE_URL` or `REDIS_URL` name others.
    """
    started: list[ServiceProcess] = []

    def start(count: int = 1, **environment: str) -> list[ServiceProcess]:
        defaults: dict[str, Callable[[], str]] = {
            "DATABASE_URL": lambda: request.getfixturevalue("database_url"),
            "REDIS_URL": lambda: request.getfixturevalue("redis_url"),
        }
        given = {name: environment.get(name) or default() for name, default in defaults.items()} | environment
        logs = [tmp_path / f"replica-{len(started) + number}.log" for number in range(count)]
        batch = [ServiceProcess(log, given, is_forked=True).launch() for log in logs]
        started.extend(batch)
        return [replica.wait_until_live() for replica in batch]

    # Asked for here, these two are torn down after the replicas that use them.
    yield start
    for replica in started:
        replica.kill()
