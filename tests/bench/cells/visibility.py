"""Changes by plain SQL, while others read: how long until the service shows them."""

from __future__ import annotations

import asyncio
import random
import time

import asyncpg
import uvloop

from tests.bench.asking import Connection
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.contestants import ASIDE
from tests.bench.figures import Found
from tests.bench.ratios import percentile
from tests.bench.wrk import Shape, loading

TYPE = "seen"
READERS = 8
PAUSE_SECONDS = 0.1
"""At most: the moment of a change has nothing to do with the moments of the relay."""
GIVEN_UP_SECONDS = 20.0
_CHANGE = "UPDATE entity SET body = body || $2::text::jsonb WHERE entity_type = 'seen' AND id = $1 RETURNING version"


def measure(bench: Bench) -> Found:
    """Readers keep the service busy all the time. The key is cached, and was a hit, right before its change."""
    target = bench.stage.targets[ASIDE]
    bench.fill((ASIDE,), "item", bench.plan.keys)
    shape = Shape(head=target.head.format("item"), keys=bench.plan.keys, connections=READERS)
    with (
        loading(target.url, shape, folder=bench.stage.folder) as ended,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        delays = runner.run(_changes(bench, target.url))
        beside = ended()
    milliseconds = [delay * 1000 for delay in delays]
    return Found(
        loads={"readers beside": [beside]},
        figures={
            name: [percentile(milliseconds, share)]
            for name, share in {"p50, ms": 0.5, "p99, ms": 0.99, "max, ms": 1}.items()
        },
        facts={"changes": len(delays), "bound_ms": bench.plan.bound_seconds * 1000, "delays_ms": sorted(milliseconds)},
    )


async def _changes(bench: Bench, url: str) -> list[float]:
    database, connection = await asyncpg.connect(bench.stage.postgres.url), await Connection.open(url)
    delays, chance = [], random.Random(1)
    try:
        for number in range(bench.plan.changes):
            await asyncio.sleep(chance.uniform(0, PAUSE_SECONDS))
            delays.append(await _delay(database, connection, str(number % bench.plan.keys + 1)))
            bench.passed(_seconds_of_one())
    finally:
        connection.close()
        await database.close()
    return delays


async def _delay(database: asyncpg.Connection, connection: Connection, key: str) -> float:
    """Seconds from the word of PostgreSQL that it is committed to the first answer that has it."""
    path = f"/v1/entities/{TYPE}/{key}"
    while "; hit" not in (await connection.get(path)).headers["cache-status"]:
        pass
    version = await database.fetchval(_CHANGE, key, '{"changed": true}')
    committed = time.monotonic()
    while int((await connection.get(path)).headers["etag"].strip('"')) < version:
        assert time.monotonic() - committed < GIVEN_UP_SECONDS, f"{path} does not show version {version}"
    return time.monotonic() - committed


def _seconds_of_one() -> float:
    return PAUSE_SECONDS / 2 + 0.06


CELLS = (
    Cell("visibility", "a change by plain SQL, until the service shows it", measure,
         lambda plan: plan.changes * _seconds_of_one()),
)  # fmt: skip
