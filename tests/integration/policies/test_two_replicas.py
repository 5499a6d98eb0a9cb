"""A change of a policy reaches every replica within B, also one whose PostgreSQL was out of reach for a moment."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from itertools import count

import httpx

from tests.conftest import Replicas
from tests.integration.api.conftest import until_ready
from tests.support.databases import execute_sql
from tests.support.proxy import Proxy
from tests.support.waiting import eventually

BOUND_SECONDS = 1.0
MACHINE_SECONDS = 0.5
POLICY = "/v1/cache/policies/thing"
_numbers = count()


async def lifetime(client: httpx.AsyncClient) -> int:
    """How many seconds are left of what this replica has just cached of the type; 0 where it could not."""
    path = f"/v1/entities/thing/none-{next(_numbers)}"
    await client.get(path)
    found = re.fullmatch(r"aside; hit; ttl=(\d+)", (await client.get(path)).headers.get("cache-status", ""))
    return int(found[1]) if found else 0


async def test_a_second_replica_obeys_within_b_and_an_outage_takes_nothing_back(
    replicas: Replicas, database_url: str
) -> None:
    async with Proxy.open(database_url) as link:
        start = partial(replicas, 2, DATABASE_URL=link.url, ASIDE_BOUND_SECONDS=str(BOUND_SECONDS))
        first, second = await asyncio.to_thread(start)  # the link lives in this loop
        async with httpx.AsyncClient(base_url=first.url) as near, httpx.AsyncClient(base_url=second.url) as far:
            await until_ready(near)
            await until_ready(far)

            async def far_obeys(seconds: int) -> bool:
                return seconds * 0.9 - 2 <= await lifetime(far) <= seconds

            assert await far_obeys(30)

            changed = await near.put(POLICY, json={"negative_ttl_seconds": 1000, "jitter": 0})
            assert changed.status_code == 200
            assert 998 <= await lifetime(near) <= 1000, "the replica that took the change obeys it at once"
            await eventually(lambda: far_obeys(1000), within_seconds=BOUND_SECONDS + MACHINE_SECONDS)

            link.cut()
            execute_sql(database_url, "UPDATE policy SET negative_ttl_seconds = 500")
            known = await far.get(POLICY)
            assert (known.status_code, known.json()["negative_ttl_seconds"]) == (200, 1000)
            assert (await far.put(POLICY, json={})).status_code == 503
            assert (await far.get("/v1/cache/policies")).json()["age_seconds"] > 0
            link.restore()
            await eventually(lambda: far_obeys(500), within_seconds=BOUND_SECONDS + MACHINE_SECONDS)

            async def near_is_back() -> bool:
                return (await near.delete(POLICY)).status_code == 204

            await eventually(near_is_back)
            await eventually(lambda: far_obeys(30), within_seconds=BOUND_SECONDS + MACHINE_SECONDS)
