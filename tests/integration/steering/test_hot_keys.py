"""Which keys are read most: known over all replicas, kept beyond them, and warmed when the cache has become empty."""

from __future__ import annotations

import asyncpg
import httpx

from service.embedded import Valkey
from tests.conftest import Replicas
from tests.integration.steering.conftest import ROWS
from tests.support.valkey_commands import command
from tests.support.waiting import eventually


async def read_often(client: httpx.AsyncClient, entity_id: str, times: int) -> None:
    for _ in range(times):
        await client.get(f"/v1/entities/often/{entity_id}")


async def test_what_is_read_most_comes_first_whichever_replica_read_it(replicas: Replicas, sql: asyncpg.Connection):
    await sql.execute(ROWS, "often", 3)
    first, second = replicas(2)
    async with httpx.AsyncClient(base_url=first.url) as one, httpx.AsyncClient(base_url=second.url) as two:
        await read_often(two, "i3", 1_500)
        await read_often(one, "i1", 600)
        second.terminate()  # it says what it knows before it goes
        hot = (await one.get("/v1/cache/hot?limit=2")).json()["keys"]
        kept = await sql.fetchval("SELECT count(*) FROM hot_key")
    assert [each["id"] for each in hot] == ["i3", "i1"]
    assert hot[0]["reads_per_second"] > hot[1]["reads_per_second"] > 0
    assert kept >= 1


async def test_after_a_flush_the_hot_keys_are_warmed_and_after_a_restart_they_are_still_known(
    replicas: Replicas, sql: asyncpg.Connection, valkey: Valkey
):
    await sql.execute(ROWS, "often", 2)
    (replica,) = replicas()
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await read_often(client, "i1", 200)
        command(valkey.url, "FLUSHALL")

        async def is_warmed() -> bool:
            return await sql.fetchval("SELECT state FROM job WHERE origin = 'empty'") == "done"

        await eventually(is_warmed, within_seconds=40)
        status = (await client.get("/v1/entities/often/i1")).headers["Cache-Status"]
    assert "; hit;" in status
    replica.terminate()
    await sql.execute("DELETE FROM job")
    command(valkey.url, "FLUSHALL")
    replica.start()
    await eventually(is_warmed, within_seconds=40)
    assert command(valkey.url, "EXISTS", "cache:often:i1") == "1"


async def test_a_replica_that_is_to_warm_first_is_ready_when_that_is_done(replicas: Replicas, sql: asyncpg.Connection):
    await sql.execute(ROWS, "cold", 300)
    (replica,) = replicas(
        ASIDE_WARMING__AT_START="everything",
        ASIDE_WARMING__READY_WAITS_SECONDS="60",
        ASIDE_WARMING__ROWS_PER_SECOND="400",
    )
    seen: list[dict[str, object]] = []
    async with httpx.AsyncClient(base_url=replica.url) as client:

        async def is_ready() -> bool:
            answer = await client.get("/readyz")
            seen.append({"code": answer.status_code, **answer.json()})
            return answer.status_code == 200

        await eventually(is_ready, within_seconds=40)
        cached = (await client.get("/v1/entities/cold/i299")).headers["Cache-Status"]
    state = await sql.fetchval("SELECT state FROM job WHERE origin = 'start'")
    assert state == "done"
    assert "; hit;" in cached
    assert seen[0]["code"] == 503
    assert "warming" in seen[0]["components"]  # type: ignore[operator]
    assert "warming" not in seen[-1]["components"]  # type: ignore[operator]
