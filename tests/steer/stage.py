"""The servers: PostgreSQL with all rows, Valkey, one replica of the service. Ended whatever happens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from service.db.migrations import upgrade
from service.embedded import Valkey, private_postgres, private_valkey
from service.embedded.private import private_folder
from tests.bench.asking import ask_all
from tests.bench.cores import divided, pin
from tests.bench.stage import POSTGRES, VALKEY
from tests.steer.hits import TYPE as HOT
from tests.steer.plan import PARTS, Plan
from tests.steer.priority import put_first
from tests.support.service_process import ServiceProcess

TYPE = "row"
"""Of what is warmed and purged."""
EVERY = "r"
BODY_BYTES = 250
_LONGEST_SECONDS = 60.0
_SLOW_US = 2_000
"""A command that holds Valkey up for longer is noted by it."""
# Right only before the service starts: past the triggers, as the bench does.
_INSERT = """
INSERT INTO entity (entity_type, id, body, version, created_at, updated_at)
SELECT $1, $2 || number,
       jsonb_build_object('id', lpad(number::text, 7, '0'), 'text', left(repeat(md5(number::text), 7), 221)),
       nextval('entity_version'), clock_timestamp(), clock_timestamp()
FROM generate_series($3::int, $4::int) AS number
"""


def prefix_of(part: int) -> str:
    """What the ids of a part begin with; those of all parts begin with `EVERY`."""
    return f"{EVERY}{part:02}-"


@dataclass(frozen=True, slots=True)
class Stage:
    """``addresses``: for the environment of a command. ``is_valkey_first``: on its core. ``cores``: who runs where.

    As in `make bench`, the service has a core of its own, with the processes that it starts to warm; what asks, Valkey
    and PostgreSQL share the other one.
    """

    addresses: dict[str, str]
    valkey: Valkey
    service: ServiceProcess
    folder: Path
    is_valkey_first: bool
    cores: str


@contextmanager
def open_stage(plan: Plan) -> Iterator[Stage]:
    with (
        divided() as cores,
        private_postgres(is_durable=True, settings=POSTGRES) as postgres,
        private_valkey(
            options={**VALKEY, "slowlog-log-slower-than": str(_SLOW_US), "slowlog-max-len": "10000"}
        ) as valkey,
        private_folder() as folder,
    ):
        upgrade(postgres.url)
        asyncio.run(_seed(postgres.url, plan))
        addresses = {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
        lasting = {entity_type: {"ttl_seconds": 86_400} for entity_type in (HOT, TYPE)}
        service = ServiceProcess(folder / "service.log", {**addresses, "ASIDE_POLICIES": json.dumps(lasting)})
        try:
            service.start()
            pin(service.pid, cores.server)
            _await_readiness(service.url)
            ask_all(service.url, f"/v1/entities/{HOT}/", iter(range(1, plan.hot_keys + 1)), body_bytes=BODY_BYTES)
            is_first = put_first(valkey.pid)
            yield Stage(addresses, valkey, service, folder, is_valkey_first=is_first, cores=cores.described)
        finally:
            service.kill()


def _await_readiness(url: str) -> None:
    """What is read before would not be cached."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    with httpx.Client(base_url=url, trust_env=False) as client:
        while client.get("/readyz").json()["status"] != "ready":
            assert time.monotonic() < deadline, "the service does not get ready"
            time.sleep(0.05)


async def _seed(database_url: str, plan: Plan) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET session_replication_role = replica")  # no triggers
        await connection.execute(_INSERT, HOT, "", 1, plan.hot_keys)
        for part in range(PARTS):
            await connection.execute(_INSERT, TYPE, prefix_of(part), 1, plan.part_rows)
        await connection.execute("SET session_replication_role = DEFAULT")
        for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            await connection.execute(statement)
    finally:
        await connection.close()
