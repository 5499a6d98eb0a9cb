"""Servers and Asides to be broken. Each Aside is one job of Prometheus; what breaks one leaves the others alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.embedded import Postgres, Valkey, free_port, private_postgres, private_valkey
from service.embedded.private import private_folder
from tests.alerts.traffic import Load
from tests.support.databases import DatabaseMint
from tests.support.service_process import ServiceProcess

_GIVEN = {"ASIDE_RELAY__POLL_SECONDS": "0.4", "ASIDE_AUDIT__SAMPLES_PER_SECOND": "20"}
STARTING_SECONDS = 60.0
"""Many processes begin at the same time here."""
_FULL_OPTIONS = {"maxmemory": "12mb", "maxmemory-policy": "noeviction"}


@dataclass(frozen=True, slots=True)
class Aside:
    """One job: replicas with a database and a Redis of their own, under load."""

    job: str
    database_url: str
    valkey: Valkey
    postgres: Postgres
    replicas: list[ServiceProcess]
    load: Load
    stranger: ServiceProcess
    """On the port of the last replica, and on the same Redis, but with another database. Not started."""

    @property
    def replica(self) -> ServiceProcess:
        return self.replicas[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job needs: how many replicas, and whether a PostgreSQL or a Valkey that only it uses."""

    replicas: int = 1
    own_postgres: bool = False
    valkey_options: Mapping[str, str] | None = None


PLANS = {
    "aside-fleet": Plan(replicas=2),
    "aside-redis": Plan(valkey_options=_FULL_OPTIONS),
    "aside-postgres": Plan(own_postgres=True),
    "aside-leader": Plan(),
    "aside-audit": Plan(),
    "aside-schema": Plan(),
    "aside-small": Plan(),
}


@asynccontextmanager
async def open_stage(jobs: list[str], shared: DatabaseMint) -> AsyncIterator[dict[str, Aside]]:
    """These jobs, by name, under load."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(private_folder())
        parts = {job: stack.enter_context(_servers(PLANS[job], shared)) for job in jobs}
        replicas = {
            job: stack.enter_context(_replicas(folder / job, PLANS[job].replicas, urls, valkey))
            for job, (urls, _, valkey) in parts.items()
        }
        asides = {}
        for job, (urls, postgres, valkey) in parts.items():
            *fleet, stranger = [
                each.wait_until_live(STARTING_SECONDS) if each.is_running else each for each in replicas[job]
            ]
            load = await stack.enter_async_context(Load.on([each.url for each in fleet]))
            asides[job] = Aside(job, urls[0], valkey, postgres, fleet, load, stranger)
        yield asides


@contextmanager
def _servers(plan: Plan, shared: DatabaseMint) -> Iterator[tuple[list[str], Postgres, Valkey]]:
    """The URLs of two databases on one server, and a Valkey."""
    with ExitStack() as stack:
        # What is killed has to survive it.
        mint = DatabaseMint(stack.enter_context(private_postgres(is_durable=True))) if plan.own_postgres else shared
        valkey = stack.enter_context(private_valkey(options=plan.valkey_options))
        yield [stack.enter_context(mint.database()) for _ in range(2)], mint.server, valkey


@contextmanager
def _replicas(folder: Path, count: int, database_urls: list[str], valkey: Valkey) -> Iterator[list[ServiceProcess]]:
    """So many that are starting, and one that is not."""
    folder.mkdir()
    given = {"REDIS_URL": valkey.url, **_GIVEN}
    ports = [free_port() for _ in range(count)]
    fleet = [
        ServiceProcess(
            folder / f"{port}.log",
            {**given, "DATABASE_URL": database_urls[0], "ASIDE_PORT": str(port)},
            is_forked=True,
        ).launch()
        for port in ports
    ]
    stranger = ServiceProcess(
        folder / "stranger.log", {**given, "DATABASE_URL": database_urls[-1], "ASIDE_PORT": str(ports[-1])}
    )
    try:
        yield [*fleet, stranger]
    finally:
        for each in (*fleet, stranger):
            each.kill()
