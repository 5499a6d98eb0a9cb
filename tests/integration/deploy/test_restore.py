"""PostgreSQL is set back, in each way that operators have, beside a cache that lives on: none of its entries is served.

As docs/deployment.md says it: replicas are stopped, the database is restored, replicas are started again.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from service.cache.entry import NO_WISH, Outcome
from service.cache.keys import HEARTBEAT
from service.domain.entity import ALWAYS, EntityKey
from service.embedded import Postgres
from service.embedded.discovery import DEBIAN_POSTGRES, PostgresPrograms
from service.embedded.private import TEST_SETTINGS, private_folder
from service.services.entities import Entities
from service.wiring import open_services
from tests.support.databases import DatabaseMint, execute_sql
from tests.support.recording import Recording
from tests.support.replica import KIND, replica_settings
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

X, LATE = EntityKey(KIND, "x"), EntityKey(KIND, "late")
OTHERS_THAT_COMMIT = 300
"""More transactions than were lost: by their numbers, the restored database is not behind what the cache has seen."""


class Cluster:
    """Debian's PostgreSQL, with its tools; a backup is taken of one database, or of all files, and brought back."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self.server = self._server(folder)
        self._copies = 0

    def dump(self, url: str) -> None:
        self._run("pg_dump", "-Fc", "--file", self.folder / "dump", url)

    def restore_the_dump(self, url: str) -> None:
        name = url.rpartition("/")[2]
        execute_sql(self.server.url, f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")
        self._run("pg_restore", "--dbname", url, self.folder / "dump")

    def copy_files(self, _: str) -> None:
        copy = self.folder / f"copy-{self._copies}" / "data"
        self._run("pg_basebackup", "--pgdata", copy, "--checkpoint=fast", "--no-sync", "--dbname", self.server.url)

    def restore_to_a_point_in_time(self, _: str) -> None:
        (self.folder / f"copy-{self._copies}" / "data" / "recovery.signal").touch()
        self._start_the_copy(
            restore_command="false",
            recovery_target="immediate",
            recovery_target_action="promote",
            hot_standby="off",  # nobody is let in before it has left the old timeline
        )

    def start_from_the_files(self, url: str) -> None:
        """As they are, like a volume's snapshot: the timeline goes on, and in PostgreSQL all is as it was."""
        self._start_the_copy()
        execute_sql(url, "TRUNCATE change")

    def _run(self, tool: str, *arguments: str | Path) -> None:
        subprocess.run([self._programs / tool, *arguments], check=True, capture_output=True)

    def _start_the_copy(self, **settings: str) -> None:
        self.server.kill()
        self.server = self._server(self.folder / f"copy-{self._copies}", port=self.server.port, **settings).start()
        self._copies += 1

    def _server(self, folder: Path, *, port: int | None = None, **settings: str) -> Postgres:
        programs = PostgresPrograms.inside(self._programs)
        return Postgres(folder, port=port, programs=programs, is_durable=False, settings=TEST_SETTINGS | settings)


class Way(NamedTuple):
    back_up: Callable[[Cluster, str], None]
    restore: Callable[[Cluster, str], None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    installed = [folder for folder in sorted(DEBIAN_POSTGRES.glob("*/bin")) if PostgresPrograms.inside(folder)]
    assert installed, "Debian's PostgreSQL is not installed, and the wheel's has no tools"
    with private_folder() as folder:
        made = Cluster(folder, installed[-1])
        try:
            made.server.start()
            yield made
        finally:
            made.server.kill()


@pytest.fixture(scope="module")
def mint(cluster: Cluster) -> DatabaseMint:
    return DatabaseMint(cluster.server)  # whose address is that of each copy too


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(Way(Cluster.dump, Cluster.restore_the_dump), id="a dump"),
        pytest.param(Way(Cluster.copy_files, Cluster.restore_to_a_point_in_time), id="a point in time"),
        pytest.param(Way(Cluster.copy_files, Cluster.start_from_the_files), id="files, with another epoch"),
    ],
)
async def test_what_was_cached_before_a_restore_is_never_served_after_it(
    cluster: Cluster, mint: DatabaseMint, redis_url: str, way: Way
):
    with mint.database() as url:
        settings = replica_settings(url, redis_url, bound_seconds=0.5)
        async with open_services(settings, Recording()) as services:
            await put(services.entities, X, 1)
            await eventually(lambda: is_hit(services.entities, X, 1))  # the epoch moves no more
            await asyncio.to_thread(way.back_up, cluster, url)
            for key in (X, LATE):
                await put(services.entities, key, 2)
                await eventually(lambda key=key: is_hit(services.entities, key, 2))
        await asyncio.to_thread(way.restore, cluster, url)
        await asyncio.to_thread(execute_sql, url, *["SELECT pg_current_xact_id()"] * OTHERS_THAT_COMMIT)
        await eventually(lambda: command(redis_url, "GET", HEARTBEAT) is None)  # at most B after the last replica
        for key in (X, LATE):  # the trap is set
            assert (command(redis_url, "GET", f"cache:{key.entity_type}:{key.id}") or "").endswith('{"n": 2}')
        async with open_services(settings, Recording()) as services:
            for key, restored in ((X, 1), (LATE, None)):
                await eventually(lambda key=key, restored=restored: is_hit(services.entities, key, restored))


async def put(entities: Entities, key: EntityKey, number: int) -> None:
    document = json.dumps({"n": number}).encode()
    await entities.put(key, document, condition=ALWAYS, ttl_seconds=None, wait=True)


async def is_hit(entities: Entities, key: EntityKey, number: int | None) -> bool:
    """Whether it came out of the cache; and it has that number, wherever it came from."""
    answer = await entities.get(key, NO_WISH)
    assert (None if answer.body is None else json.loads(answer.body)["n"]) == number
    return answer.outcome in {Outcome.HIT, Outcome.NEGATIVE_HIT}
