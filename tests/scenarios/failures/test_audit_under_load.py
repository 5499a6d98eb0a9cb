"""The audit beside a crowd: a healthy service is never called stale, and what is planted into it is found."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import httpx

from tests.support.scraping import scrape
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

KEYS = 12
QUICK = {
    "ASIDE_BOUND_SECONDS": "0.5",
    "ASIDE_RELAY__POLL_SECONDS": "0.05",
    "ASIDE_AUDIT__SAMPLES_PER_SECOND": "400",
    "ASIDE_POLICIES": '{"through": {"strategy": "write_through"}}',
}


async def test_a_healthy_service_under_writes_plain_sql_and_truncates_is_never_called_stale(replicas, database_url):
    pair = replicas(2, **QUICK)
    draw = random.Random(7)
    stopping = asyncio.Event()

    async def use(client: httpx.AsyncClient) -> None:
        while not stopping.is_set():
            path = f"/v1/entities/{draw.choice(('thing', 'through'))}/k{draw.randrange(KEYS)}"
            match draw.randrange(12):
                case 0:
                    await client.put(path, json=draw.random())
                case 1:
                    await client.put(path, json=1, headers={"Prefer": "respond-async"})
                case 2:
                    await client.delete(path)
                case _:
                    await client.get(path)

    async def write_plain_sql() -> None:
        sql = await asyncpg.connect(database_url)
        while not stopping.is_set():
            entity_id = f"k{draw.randrange(KEYS)}"
            match draw.randrange(20):
                case 0:
                    await sql.execute("TRUNCATE entity")
                case 1 | 2 | 3:
                    await sql.execute("DELETE FROM entity WHERE id = $1", entity_id)
                case _:
                    await sql.execute("UPDATE entity SET body = to_jsonb(random()) WHERE id = $1", entity_id)
            await asyncio.sleep(0)
        await sql.close()

    async with httpx.AsyncClient(base_url=pair[0].url) as one, httpx.AsyncClient(base_url=pair[1].url) as other:
        crowd = [asyncio.create_task(use(client)) for client in (one, other) for _ in range(4)]
        crowd.append(asyncio.create_task(write_plain_sql()))
        try:

            async def has_seen_enough() -> bool:
                found = await scrape([replica.url for replica in pair])
                assert found.total_of("aside_audit_stale_total") == 0, pair[0].log + pair[1].log
                assert all(not task.done() for task in crowd)
                enough = found.total_of("aside_audit_checked_total") > 1_500
                return bool(enough and found.total_of("aside_audit_suspects_total") > 20)

            await eventually(has_seen_enough, within_seconds=60)
        finally:
            stopping.set()
            await asyncio.gather(*crowd)


async def test_what_is_planted_into_a_running_service_is_found_counted_logged_and_mended(
    replicas, database_url, redis_url
):
    [replica] = replicas(1, **QUICK)
    async with httpx.AsyncClient(base_url=replica.url) as client:
        path = f"{replica.url}/v1/entities/thing/x"
        await client.put(path, json="old")

        async def is_a_hit() -> bool:
            return "; hit" in (await client.get(path)).headers["cache-status"]

        await eventually(is_a_hit)
        old = command(redis_url, "GET", "cache:thing:x")
        newest = (await client.put(path, json="new")).headers["etag"]

        async def is_found() -> bool:
            command(redis_url, "SET", "cache:thing:x", old)  # the relay may just be carrying the change
            return (await scrape([replica.url])).total_of("aside_audit_stale_total") == 1

        await eventually(is_found)
        await eventually(lambda: "audit_found_a_stale_entry" in replica.log)

        async def is_mended() -> bool:
            return (await client.get(path)).headers["etag"] == newest

        await eventually(is_mended)
        stats = (await client.get(f"{replica.url}/v1/cache/stats")).json()
    assert stats["audit"]["oldest_stale_seconds"] >= 0.5  # the bound, rounded
    assert stats["audit"]["statement"].endswith(f"1 stale of {stats['audit']['checked']:,} samples")
