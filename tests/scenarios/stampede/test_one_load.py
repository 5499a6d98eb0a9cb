"""A crowd that misses the same key at the same moment costs one load, however many processes it is spread over."""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg
import pytest

from service.embedded import Postgres
from tests.support.crowd import at_once
from tests.support.figures import show
from tests.support.load import Traffic, quantiles
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess
from tests.support.statements import StatementLog

CROWD = 1_000


@pytest.mark.parametrize("slow_for_seconds", [0, 0.08], ids=["a quick database", "a database that takes 80 ms"])
async def test_a_thousand_misses_of_one_key_in_three_processes_are_one_load(
    three_replicas: list[ServiceProcess], logging_postgres: Postgres, logged_database_url: str, slow_for_seconds: float
) -> None:
    urls, key = [replica.url for replica in three_replicas], f"crowded-{slow_for_seconds}"
    async with Traffic(urls) as traffic:
        await traffic.write(key)
        await traffic.until_cached()
    database = await asyncpg.connect(logged_database_url)
    before, statements = await scrape(urls), StatementLog(logging_postgres)
    locked: list[asyncio.Task[str]] = []

    async def lock() -> None:
        # The server itself ends the lock, for this process may be busy then.
        await database.execute("BEGIN; LOCK TABLE entity")
        locked.append(asyncio.create_task(database.execute(f"SELECT pg_sleep({slow_for_seconds}); COMMIT")))

    answers = await at_once(three_replicas, [key] * CROWD, as_they_start=lock)

    await asyncio.gather(*locked)
    await database.close()
    added = (await scrape(urls)).since(before)
    waits = added.total_of("aside_lease_wait_seconds_count")
    show(Counter(answer.cache_status.partition("ttl")[0] for answer in answers), f"waited: {waits}")
    show(quantiles([answer.seconds for answer in answers]))
    assert added.total_of("aside_db_load_batch_size_sum") == 1
    assert added.total_of("aside_db_load_batch_size_count") == 1
    assert [name for name in statements.names() if name.startswith("load")] == ["load"]
    assert Counter(answer.outcome for answer in answers) == {"miss": 1, "hit": CROWD - 1}
    assert waits >= CROWD // len(urls) - 1  # a crowd it was: nobody in the first process found the value there
