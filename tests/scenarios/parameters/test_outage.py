"""With the cache gone, parameters are still served, written, and never old."""

from __future__ import annotations

import httpx

from tests.conftest import Replicas, ValkeyFactory


async def test_parameters_are_read_and_written_while_the_cache_is_gone_and_hit_again_afterwards(
    replicas: Replicas, valkey_factory: ValkeyFactory
) -> None:
    valkey = valkey_factory()
    [replica] = replicas(1, REDIS_URL=valkey.url, ASIDE_BOUND_SECONDS="0.5")
    path = "/v1/parameters/app:config:max_users"
    async with httpx.AsyncClient(base_url=replica.url, timeout=10) as client:

        async def until(word: str) -> httpx.Response:
            while word not in (answer := await client.get(path)).headers["cache-status"]:
                assert answer.json()["value"] == value
            return answer

        value = 1
        await client.put(path, json={"type": "integer", "value": value})
        await until("hit")
        valkey.kill()
        assert (await until("detail=cache-unreachable")).json()["value"] == 1

        value = 2
        written = await client.put(path, json={"type": "integer", "value": value})
        assert (written.status_code, written.headers["aside-cache"]) == (200, "deferred")
        assert (await client.get(path)).json()["value"] == 2
        batch = await client.post("/v1/parameters/batch-read", json={"keys": ["app:config:max_users", "none"]})
        assert [result["status"] for result in batch.json()["results"]] == [200, 404]

        valkey.start()
        assert (await until("hit")).json()["value"] == 2
