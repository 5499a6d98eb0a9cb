"""The cache in numbers, of real replicas: the same numbers as a scrape's, over all workers, also during an outage."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from service.api.cache_report import CacheStats
from tests.conftest import ValkeyFactory
from tests.integration.api.conftest import until_ready
from tests.support.openapi_truth import OpenApiTruth
from tests.support.scraping import scrape
from tests.support.waiting import eventually

PATH = "/v1/cache/stats"
HISTORY = "/v1/cache/history"
THING = "/v1/entities/thing/x"


async def stats_of(url: str) -> dict[str, Any]:
    """Over a connection of its own, so that any worker may answer."""
    async with httpx.AsyncClient(base_url=url) as client:
        stats: dict[str, Any] = (await client.get(PATH)).raise_for_status().json()
    CacheStats.model_validate(stats)
    return stats


async def test_whichever_worker_answers_the_sums_are_those_of_a_scrape(replicas: Any) -> None:
    [replica] = replicas(1, ASIDE_WORKERS="2", ASIDE_AUDIT__SAMPLES_PER_SECOND="100")
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        await client.put(THING, json=1)
    for number in range(40):  # a connection each, so that both workers get some
        async with httpx.AsyncClient(base_url=replica.url) as client:
            await client.get(f"{THING}{number % 20}")
    seen = []
    for _ in range(8):
        stats = await stats_of(replica.url)
        reads = stats["requests"]["all"]["since_start"]
        seen.append(sum(reads[outcome] for outcome in ("hit", "negative_hit", "stale", "miss", "bypass", "off")))
        assert stats["work"]["writes_applied"] + stats["work"]["writes_deferred"] == 1
    assert seen == [40] * 8
    for _ in range(4):
        async with httpx.AsyncClient(base_url=replica.url) as client:
            history = (await client.get(HISTORY)).raise_for_status().json()
        assert all(at % history["step_seconds"] == 0 for at in history["times"])
        assert sum(sum(column) for column in history["requests_per_second"].values()) * history["step_seconds"] <= 60

    async def both_kinds_were_audited() -> bool:
        async with httpx.AsyncClient(base_url=replica.url) as client:
            for number in range(20):
                await client.get(f"{THING}{number}")
        before, stats, after = await scrape([replica.url]), await stats_of(replica.url), await scrape([replica.url])
        checked = stats["audit"]["checked"]
        assert before.total_of("aside_audit_checked_total") <= checked <= after.total_of("aside_audit_checked_total")
        assert stats["audit"]["stale"] == after.total_of("aside_audit_stale_total") == 0
        served, random = stats["audit"]["served"], stats["audit"]["random"]
        assert served + random == checked
        return bool(served and random > 100)

    await eventually(both_kinds_were_audited)


async def test_the_answer_is_what_the_document_says(replicas: Any) -> None:
    [replica] = replicas()
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        client.event_hooks = {"response": [OpenApiTruth((await client.get("/openapi.json")).json())]}
        stats = (await client.get(PATH)).json()
        assert (await client.get(HISTORY)).is_success
        assert (await client.get(HISTORY, params={"seconds": 0})).is_client_error
    assert stats["cache"]["on"] is True
    assert stats["cache"]["relay"] == "leading"
    assert 0 <= stats["cache"]["heartbeat_age_seconds"] < stats["bound_seconds"] == 2.0
    assert stats["redis"]["reachable"] is True
    assert stats["redis"]["policy"] == "allkeys-lfu"
    assert stats["redis"]["limit_bytes"] == 64 * 1024 * 1024
    assert 0 < stats["redis"]["used_bytes"] < stats["redis"]["limit_bytes"]
    assert stats["redis"]["warning"] is None


async def test_it_answers_while_redis_is_away_says_so_and_says_since_when(
    replicas: Any, valkey_factory: ValkeyFactory
) -> None:
    valkey = valkey_factory(options={"maxmemory-policy": "noeviction"})
    [replica] = replicas(1, REDIS_URL=valkey.url, ASIDE_BOUND_SECONDS="0.5", ASIDE_AUDIT__SAMPLES_PER_SECOND="100")
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        await client.put(THING, json=1)
        await client.get(THING)
        assert "noeviction" in (await stats_of(replica.url))["redis"]["warning"]
        await asyncio.to_thread(valkey.kill)

        async def is_off() -> dict[str, Any] | None:
            stats = await stats_of(replica.url)
            return None if stats["cache"]["on"] else stats

        off = await eventually(is_off)
        assert off is not None
        assert off["cache"]["state"].startswith("off: Redis unreachable")
        assert off["situation"][0]["text"].endswith(": Redis unreachable; serving from PostgreSQL")
        assert off["redis"] == {**dict.fromkeys(off["redis"]), "reachable": False}
        await client.get(THING)

        async def is_paused() -> bool:
            return str((await stats_of(replica.url))["audit"]["state"]).startswith("paused: Redis")

        await eventually(is_paused)
        checked = (await stats_of(replica.url))["audit"]["checked"]
        await asyncio.to_thread(valkey.start)

        async def is_back() -> bool:
            await client.get(THING)
            stats = await stats_of(replica.url)
            return stats["cache"]["on"] and stats["audit"]["checked"] > checked and stats["audit"]["stale"] == 0

        await eventually(is_back)


async def test_the_audit_pauses_while_postgresql_is_away_and_comes_back(replicas: Any, postgres_factory: Any) -> None:
    server = postgres_factory(is_durable=True)
    [replica] = replicas(
        1, DATABASE_URL=server.url, ASIDE_MIGRATE_ON_START="true", ASIDE_AUDIT__SAMPLES_PER_SECOND="100"
    )
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        await client.put(THING, json=1)

        async def audits_more_than(count: int) -> int:
            await client.get(THING)
            stats = await stats_of(replica.url)
            assert stats["audit"]["stale"] == 0
            return int(stats["audit"]["checked"]) if stats["audit"]["checked"] > count else 0

        checked = await eventually(lambda: audits_more_than(0))
        await asyncio.to_thread(server.kill)

        async def paused() -> Any:
            """The audit pauses at the first failure; PostgreSQL counts as unreachable from the second in a row."""
            stats = await stats_of(replica.url)
            is_known = stats["situation"][0]["text"].startswith("PostgreSQL unreachable for ")
            return stats if is_known and stats["audit"]["state"].startswith("paused: PostgreSQL") else None

        stats = await eventually(paused)
        assert stats["database"]["unavailable_seconds"] > 0
        checked = stats["audit"]["checked"]
        await asyncio.to_thread(server.start)
        await eventually(lambda: audits_more_than(checked), within_seconds=20)
    assert "audit_failed" not in replica.log


async def test_an_audit_that_is_switched_off_says_so_and_looks_at_nothing(replicas: Any) -> None:
    [replica] = replicas(1, ASIDE_AUDIT__SAMPLES_PER_SECOND="0")
    stats = await stats_of(replica.url)
    assert (stats["audit"]["state"], stats["audit"]["checked"]) == ("off", 0)
    assert stats["audit"]["statement"].startswith("nothing can be said yet")
