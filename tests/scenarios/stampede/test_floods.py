"""Floods: distinct misses with no cache, and clients that go away in the middle."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg

from service.embedded import Postgres, Valkey
from tests.conftest import Replicas, ValkeyFactory
from tests.support.activity import database_connections, valkey_connections, watched
from tests.support.crowd import at_once, connections, left_midway, replies
from tests.support.figures import show
from tests.support.load import Traffic, quantiles, unanswered
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

FLOOD, WAVES = 2_000, 20


async def test_two_thousand_distinct_misses_without_redis_keep_three_connections_busy(
    replicas: Replicas, valkey_factory: ValkeyFactory, database_url: str
) -> None:
    valkey = valkey_factory()
    (replica,) = replicas(
        REDIS_URL=valkey.url,
        ASIDE_BOUND_SECONDS="1",
        ASIDE_DATABASE__LOAD_CONNECTIONS="3",
        ASIDE_DATABASE__WRITE_CONNECTIONS="4",
    )
    keys = [f"flood-{number}" for number in range(FLOOD)]
    async with Traffic([replica.url]) as traffic:
        await traffic.until_cached()
        for key in keys[::50]:
            await traffic.write(key)
        valkey.kill()
        await eventually(lambda: is_off(traffic))
        before = await scrape([replica.url])
        async with (
            connections([replica.url] * FLOOD) as opened,
            watched(database_url) as seen,
            nobody_reads_before(lambda: sum(n >= 3 for n in seen.loading) > 60, database_url),
        ):
            answers = await replies(opened, keys, [replica.url] * FLOOD, waves=WAVES)
        batches = (await scrape([replica.url])).since(before).total_of("aside_db_load_batch_size_count")

        show(f"\n{Counter(answer.status for answer in answers)} in {batches:g} batches")
        show(f"{quantiles([answer.seconds for answer in answers])}; loading {Counter(seen.loading)}")
        assert max(seen.loading) == 3
        assert max(seen.connected) <= 3 + 4 + 2 + 1  # loads, writes, spare ones, and the relay's
        assert {answer.status for answer in answers} <= {200, 404, 503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status == 503)
        assert {answer.outcome for answer in answers if answer.is_answered} == {"off"}
        assert batches <= 5 * WAVES  # those of a wave may be divided among the connections, and some come late
        assert all((answer.status == 200) is (answer.key in keys[::50]) for answer in answers if answer.is_answered)

        valkey.start()
        await traffic.until_cached()
        recovered = [await traffic.read(key) for key in keys[::100] * 2]
        assert unanswered(recovered) == []
        assert {answer.outcome for answer in recovered[-20:]} == {"hit"}


async def is_off(traffic: Traffic) -> bool:
    return (await traffic.read("any")).outcome == "off"


@asynccontextmanager
async def nobody_reads_before(condition: Callable[[], bool], database_url: str) -> AsyncIterator[None]:
    """The table is locked until the condition holds."""
    database = await asyncpg.connect(database_url)
    await database.execute("BEGIN; LOCK TABLE entity")

    async def unlock() -> None:
        try:
            await eventually(condition, within_seconds=5)
        finally:
            await database.close()  # and so gives up the lock

    unlocking = asyncio.create_task(unlock())
    try:
        yield
    finally:
        await unlocking


async def test_clients_that_leave_in_the_middle_leave_no_connection_and_no_mixed_up_value(
    three_replicas: list[ServiceProcess], logging_postgres: Postgres, logged_database_url: str, fleet_valkey: Valkey
) -> None:
    urls = [replica.url for replica in three_replicas]
    keys = [f"left-{number}" for number in range(50)]
    async with Traffic(urls) as traffic:
        await traffic.until_cached()
        for key in keys:
            await traffic.write(key)
        await at_once(three_replicas, keys * 3)
        descriptors = [open_files(replica) for replica in three_replicas]
        for _ in range(10):
            async with connections((urls * 67)[:200]) as opened:
                await left_midway(opened, (keys + [f"{key}-that-never-was" for key in keys]) * 2)
            await traffic.write(keys[0])

        answers = await at_once(three_replicas, keys * 6)

        to_postgres = await database_connections(logged_database_url)
        to_valkey = valkey_connections(fleet_valkey)
        show(f"\nconnections to PostgreSQL: {to_postgres}, to Valkey: {to_valkey}, files before: {descriptors}")
        assert unanswered(answers) == []
        assert all(json.loads(answer.body)["key"] == answer.key for answer in answers)
        assert (await scrape(urls)).total_of("aside_db_loads_in_flight") == 0
        # Each replica: loads, one write at a time, looks for policies and for jobs; each lane to Valkey, the pulse, and
        # a warming's three pages. One of them: the relay.
        assert to_postgres <= 3 * (3 + 1 + 2) + 1
        assert to_valkey <= 3 * (4 * 2 + 1 + 1 + 1 + 3) + 1
        for replica, before in zip(three_replicas, descriptors, strict=True):
            await eventually(partial(has_few_files, replica, at_most=before + 3 + 4 * 2))
            assert "Traceback" not in replica.log


def has_few_files(replica: ServiceProcess, *, at_most: int) -> bool:
    return open_files(replica) <= at_most


def open_files(replica: ServiceProcess) -> int:
    return len(list(Path(f"/proc/{replica.pid}/fd").iterdir()))
