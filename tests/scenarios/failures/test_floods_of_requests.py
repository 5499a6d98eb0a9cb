"""Floods that one process, or all together, must stand: absent keys, stuck loads, and clients beyond their rate."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import asyncpg
import httpx

from service.embedded import Valkey
from tests.conftest import Replicas, ValkeyFactory
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

PATH = "/v1/entities/thing/x"
_GRANTED = """
local sum = 0
for _, key in ipairs(redis.call('KEYS', 'aside:granted*')) do sum = sum + redis.call('GET', key) end
return sum"""


async def is_hit(client: httpx.AsyncClient) -> bool:
    return (await client.get(PATH)).headers["cache-status"].startswith("aside; hit")


async def test_a_flood_of_absent_keys_costs_its_budget_and_hits_go_on(replicas: Replicas, redis_url: str):
    [replica] = replicas(1, ASIDE_LIMITS__ABSENT_PER_SECOND="8")
    async with httpx.AsyncClient(base_url=replica.url, timeout=10) as client:
        await client.put(PATH, json={"n": 1})
        await eventually(lambda: is_hit(client), within_seconds=20)
        began, statuses = time.monotonic(), Counter[int]()

        async def flood(reader: int) -> None:
            for n in range(15):
                statuses[(await client.get(f"/v1/entities/thing/absent-{reader}-{n}")).status_code] += 1
                assert (await client.get(PATH)).status_code == 200

        await asyncio.gather(*[flood(reader) for reader in range(8)])
        allowed = 8 * (5 + 0.25 + time.monotonic() - began) + 8  # saved, owed, earned, and under way
        assert set(statuses) == {404, 503}
        assert 40 <= statuses[404] <= allowed
        assert int(command(redis_url, "DBSIZE")) <= allowed + 10
        assert (await scrape([replica.url])).total_of("aside_shed_total") == statuses[503]
        assert (await eventually(lambda: client.get("/v1/entities/thing/absent-at-last"))).headers["content-type"]


async def test_while_loads_are_stuck_misses_are_refused_before_their_time_and_hits_go_on(
    replicas: Replicas, database_url: str
):
    [replica] = replicas(1, ASIDE_DATABASE__LOAD_CONNECTIONS="2")
    database = await asyncpg.connect(database_url)
    async with httpx.AsyncClient(base_url=replica.url, timeout=10) as client:
        await client.put(PATH, json={"n": 1})
        await eventually(lambda: is_hit(client), within_seconds=20)
        await database.execute("BEGIN; LOCK TABLE entity")
        stuck = []

        async def is_refused() -> bool:
            stuck.append(asyncio.create_task(client.get(f"/v1/entities/thing/stuck-{len(stuck)}")))
            done = [each.result() for each in stuck if each.done()]
            return any(each.json()["type"] == "/problems/overloaded" for each in done)

        await eventually(is_refused, within_seconds=10, step_seconds=0.05)
        assert await is_hit(client)
        await database.close()
        assert {(await each).status_code for each in stuck} <= {404, 503}
        assert (await client.get("/v1/entities/thing/again")).status_code == 404
        assert (await scrape([replica.url])).total_of("aside_shed_total") > 0


async def test_replicas_grant_a_client_together_what_one_would_and_less_without_redis(
    replicas: Replicas, valkey_factory: ValkeyFactory
):
    valkey = valkey_factory()
    first, second = replicas(
        2, REDIS_URL=valkey.url, ASIDE_LIMITS__REQUESTS_PER_SECOND="2", ASIDE_LIMITS__BURST="40",
        ASIDE_LIMITS__ALONE_SHARE="0.01",
    )  # fmt: skip
    async with httpx.AsyncClient(timeout=10) as client:
        assert (await client.get(second.url + PATH)).status_code == 404
        await eventually(lambda: is_told_of(valkey, 1))  # what was granted before, the second does not ask
        began = time.monotonic()
        statuses = [(await client.get(first.url + PATH)).status_code for _ in range(60)]
        assert statuses[:39] == [404] * 39  # the first may have heard of the one that the second granted
        assert statuses.count(404) <= 41 + 2 * (time.monotonic() - began)
        await eventually(lambda: is_told_of(valkey, 40))
        granted = await until_refused(client, second.url + PATH)
        assert granted < 30, "the second did not learn what the first has granted"  # on a busy machine, late
        assert (await client.get(second.url + "/livez")).status_code == 200

        valkey.kill()
        await eventually(lambda: is_alone(client, first), step_seconds=0.2)


async def is_told_of(valkey: Valkey, grants: int) -> bool:
    """Whether the replicas have counted so many in Redis, of all clients."""
    return int(command(valkey.url, "EVAL", _GRANTED, "0") or 0) >= grants


async def until_refused(client: httpx.AsyncClient, url: str) -> int:
    """How many were granted before."""
    granted = 0

    async def is_refused() -> bool:
        nonlocal granted
        response = await client.get(url)
        granted += response.status_code != 429
        return response.status_code == 429

    await eventually(is_refused, step_seconds=0.1)
    return granted


async def is_alone(client: httpx.AsyncClient, replica: ServiceProcess) -> bool:
    """A fiftieth of the rate: fifty seconds until the next request."""
    response = await client.get(replica.url + PATH)
    assert response.status_code in {404, 429}
    return response.status_code == 429 and int(response.headers["retry-after"]) > 10
