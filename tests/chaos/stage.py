"""The servers, the links, the replicas: started in order, and all of it ended whatever happens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import asyncpg

from service.db.migrations import upgrade
from service.embedded import Postgres, private_postgres
from service.embedded.private import private_folder
from tests.chaos import truth
from tests.chaos.clocks import shifted_environment
from tests.chaos.links import Links
from tests.chaos.mix import POLICIES
from tests.chaos.plan import REPLICAS
from tests.chaos.redis_leg import RedisLeg
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from tests.chaos.sql_writers import SqlWriters

BOUND_SECONDS = 1.0
LOAD_CONNECTIONS, WRITE_CONNECTIONS, BROWSE_CONNECTIONS, OTHER_CONNECTIONS = 2, 4, 1, 8
STATEMENT_SECONDS = 1.0
CLOCKS_SECONDS = (3600, -3600, 0)
SETTINGS = {
    "ASIDE_BOUND_SECONDS": f"{BOUND_SECONDS:g}",
    "ASIDE_POLICIES": json.dumps(POLICIES),
    "ASIDE_DATABASE__LOAD_CONNECTIONS": str(LOAD_CONNECTIONS),
    "ASIDE_DATABASE__WRITE_CONNECTIONS": str(WRITE_CONNECTIONS),
    "ASIDE_DATABASE__BROWSE_CONNECTIONS": str(BROWSE_CONNECTIONS),
    "ASIDE_DATABASE__STATEMENT_TIMEOUT_SECONDS": f"{STATEMENT_SECONDS:g}",
    "ASIDE_DATABASE__CONNECT_TIMEOUT_SECONDS": "1",
    "ASIDE_AUDIT__SAMPLES_PER_SECOND": "50",  # whatever happens, it must find nothing; it logs an error if it does
    "ASIDE_DRAIN_SECONDS": "0.2",
    "ASIDE_SHUTDOWN_GRACE_SECONDS": "3",
}


class Session:
    """One connection of the campaign's own for work that goes on while PostgreSQL comes and goes."""

    def __init__(self, stage: Stage, command_timeout: float) -> None:
        self._stage = stage
        self._command_timeout = command_timeout
        self._connection: asyncpg.Connection | None = None

    async def get(self) -> asyncpg.Connection:
        """A connection that was open a moment ago. Raises what `Stage.database` raises."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._stage.database(command_timeout=self._command_timeout)
        return self._connection

    def drop(self) -> None:
        """The next one is a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()


class Stage:
    """What faults act on. ``frozen`` has, for each replica, when it last ran again after it had stood still."""

    def __init__(self, postgres: Postgres, redis: RedisLeg, links: Links, replicas: list[ServiceProcess]) -> None:
        self.postgres = postgres
        self.redis = redis
        self.links = links
        self.replicas = replicas
        self.snapshot: Path | None = None
        self.sql: SqlWriters | None = None
        self._thawed_at = [0.0] * len(replicas)
        self._frozen: set[int] = set()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", replica.port) for replica in self.replicas]

    def freeze(self, number: int) -> None:
        self._frozen.add(number)
        self.replicas[number].pause()

    def thaw(self, number: int) -> None:
        self.replicas[number].resume()
        self._frozen.discard(number)
        self._thawed_at[number] = time.monotonic()

    def stood_still(self, number: int, since: float) -> bool:
        return number in self._frozen or self._thawed_at[number] > since

    def session(self, *, command_timeout: float = 3.0) -> Session:
        return Session(self, command_timeout)

    async def database(self, *, command_timeout: float | None = 5.0) -> asyncpg.Connection:
        """A connection of the campaign's own, past all links. Raises OSError, PostgresError while it is gone."""
        return await asyncpg.connect(
            self.postgres.url, timeout=3, command_timeout=command_timeout, server_settings={"application_name": "chaos"}
        )


@asynccontextmanager
async def open_stage(leg: str) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        servers = stack.enter_context(ExitStack())
        settings = {"log_line_prefix": "%m %p ", "shared_buffers": "64MB"}
        postgres = await asyncio.to_thread(servers.enter_context, private_postgres(is_durable=True, settings=settings))
        await asyncio.to_thread(_tell_replicas_apart, postgres)
        await asyncio.to_thread(upgrade, postgres.url)
        connection = await asyncpg.connect(postgres.url)
        await truth.install(connection)
        await connection.close()
        redis = await asyncio.to_thread(RedisLeg, leg, servers)
        folder = servers.enter_context(private_folder())
        links = await stack.enter_async_context(Links())
        replicas: list[ServiceProcess] = []
        stage = Stage(postgres, redis, links, replicas)
        for number in range(REPLICAS):
            local = f"127.0.0.{11 + number}"
            to_redis = await links.open(f"redis-{number}", "127.0.0.1", redis.primary.port, local_host=local)
            to_postgres = await links.open(f"postgres-{number}", "127.0.0.1", postgres.port, local_host=local)
            environment = {
                **SETTINGS,
                "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{to_postgres}/postgres",
                "REDIS_URL": f"redis://127.0.0.1:{to_redis}/0",
                "ASIDE_REDIS__FAILS_OVER": "true" if leg == "sentinel" else "false",
                **shifted_environment(CLOCKS_SECONDS[number], folder),
            }
            replica = ServiceProcess(folder / f"replica-{number}.log", environment)
            servers.callback(replica.kill)
            replicas.append(replica.launch())
        stage._thawed_at = [0.0] * REPLICAS
        for replica in replicas:
            await asyncio.to_thread(replica.wait_until_live, 120)
        yield stage


def _tell_replicas_apart(postgres: Postgres) -> None:
    """Let all of 127.0.0.0/8 in: each replica comes from an address of its own."""
    with (postgres.data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 127.0.0.0/8 trust\n")
    postgres.restart()


def logs(stage: Stage) -> str:
    """Lines of the replicas' logs that nobody should ever see."""
    found = []
    for replica in stage.replicas:
        with suppress(OSError):
            found += [line for line in replica.log.splitlines() if "Traceback" in line or '"level": "error"' in line]
    return "\n".join(found[:50])
