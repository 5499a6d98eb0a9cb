"""A load that takes longer than readers wait for each other: they ask themselves, together. Redis is not to blame."""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg

from service.embedded import Postgres
from tests.support.crowd import at_once
from tests.support.figures import show
from tests.support.load import Traffic, quantiles
from tests.support.service_process import ServiceProcess
from tests.support.statements import StatementLog

CROWD = 600
SLOW_SECONDS = 0.6


async def test_a_crowd_that_gave_up_waiting_for_a_slow_load_costs_a_few_batches_and_is_not_told_that_redis_is_away(
    three_replicas: list[ServiceProcess], logging_postgres: Postgres, logged_database_url: str
) -> None:
    urls = [replica.url for replica in three_replicas]
    async with Traffic(urls) as traffic:
        await traffic.write("slow")
        await traffic.until_cached()
    database = await asyncpg.connect(logged_database_url)
    statements = StatementLog(logging_postgres)
    locked: list[asyncio.Task[str]] = []

    async def lock() -> None:
        await database.execute("BEGIN; LOCK TABLE entity")
        locked.append(asyncio.create_task(database.execute(f"SELECT pg_sleep({SLOW_SECONDS}); COMMIT")))

    answers = await at_once(three_replicas, ["slow"] * CROWD, as_they_start=lock)

    await asyncio.gather(*locked)
    await database.close()
    asked = Counter(name for name in statements.names() if name.startswith("load") or name == "coverage")
    show("\n", Counter(answer.cache_status.partition("ttl")[0] for answer in answers), asked)
    show(quantiles([answer.seconds for answer in answers]))
    assert {answer.status for answer in answers} == {200}
    assert "off" not in {answer.outcome for answer in answers}
    assert asked.total() <= 30
