"""Who follows the feed of changes, with a key of some types: through an outage, to the key's end and the replica's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from service.db.migrations import upgrade
from service.embedded import Postgres, Valkey
from service.services.api_keys import NewKey
from tests.integration.api.conftest import until_ready
from tests.integration.api.test_changes import CHANGES, STREAM, Listener, ids
from tests.support.databases import DatabaseMint
from tests.support.keys import EVERYTHING, bearer, make_key, revoke_key
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

BOUND_SECONDS = 1.0
GRACE_SECONDS = 60


class Scene:
    """A service that asks for keys; ``shop`` may read what begins with `shop-`."""

    def __init__(self, service: ServiceProcess, url: str) -> None:
        self.service = service
        self.url = url
        self.all, self.shop = make_key(url, "all", *EVERYTHING), make_key(url, "shop", "read:shop-*")

    @asynccontextmanager
    async def client(self, key: NewKey) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.service.url, headers=bearer(key), timeout=30) as client:
            await until_ready(client)
            yield client

    @asynccontextmanager
    async def following(self, key: NewKey) -> AsyncIterator[Listener]:
        async with self.client(key) as client, client.stream("GET", STREAM) as answer:
            assert answer.status_code == 200
            listener = Listener(answer)
            await listener.block()
            yield listener

    async def put(self, *names: str) -> None:
        async with self.client(self.all) as client:
            for name in names:
                (await client.put(f"/v1/entities/{name}", json={})).raise_for_status()


@pytest.fixture(scope="module")
def scene(_mortal_postgres: Postgres, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    command(valkey.url, "FLUSHALL")
    log: Path = tmp_path_factory.mktemp("following") / "log"
    with DatabaseMint(_mortal_postgres).database(is_migrated=False) as url:
        upgrade(url)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "ASIDE_BOUND_SECONDS": f"{BOUND_SECONDS:g}",
            "ASIDE_ACCESS__REQUIRED": "true",
            "ASIDE_LIMITS__STREAM_HEARTBEAT_SECONDS": "0.1",
            "ASIDE_DATABASE__STATEMENT_TIMEOUT_SECONDS": "0.5",
            "ASIDE_SHUTDOWN_GRACE_SECONDS": str(GRACE_SECONDS),
        }
        service = ServiceProcess(log, environment, is_forked=True)
        try:
            yield Scene(service.start(), url)
        finally:
            service.kill()


async def cursor_now(client: httpx.AsyncClient) -> str | None:
    """None while the service does not know which keys were revoked, as right after an outage."""
    answer = await client.get(CHANGES)
    return answer.json()["cursor"] if answer.status_code == 200 else None


async def test_a_key_is_told_of_what_it_may_read_and_nothing_of_the_rest(scene: Scene):
    async with scene.client(scene.shop) as shop, scene.client(scene.all) as everybody:
        now = await eventually(lambda: cursor_now(shop), within_seconds=30)
        async with scene.following(scene.shop) as listener:
            await scene.put("shop-a/1", "other/2", "shop/3", "shop-b/4")
            assert await listener.ids(2) == ["1", "4"]
        assert ids(await everybody.get(CHANGES, params={"since": now})) == ["1", "2", "3", "4"]
        seen = await shop.get(CHANGES, params={"since": now})
        assert ids(seen) == ["1", "4"]
        assert "other" not in seen.text
        for query in ({"entity_type": "other"}, {"entity_type": "nothing"}):
            assert ids(await shop.get(CHANGES, params={"since": now, **query})) == []
        assert ids(await shop.get(CHANGES, params={"since": now, "entity_type": "shop-b"})) == ["4"]


async def test_through_an_outage_of_postgresql_a_stream_stays_open_says_so_and_misses_nothing(
    scene: Scene, mortal_postgres: Postgres
):
    async with scene.following(scene.shop) as listener, scene.client(scene.all) as client:
        await scene.put("shop-a/before")
        assert await listener.ids(1) == ["before"]
        mortal_postgres.pause()
        await eventually(lambda: says(listener, "PostgreSQL"))
        refused = await client.get(CHANGES)
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        mortal_postgres.resume()
        await scene.put("shop-a/after")
        assert await listener.ids(1) == ["after"]
        await eventually(lambda: says(listener, "alive"))


async def says(listener: Listener, words: str) -> bool:
    await listener.block()
    return words in listener.comment


async def test_a_stream_ends_with_its_key(scene: Scene):
    async with scene.following(scene.shop) as listener, scene.client(scene.all) as client:
        await asyncio.to_thread(revoke_key, scene.url, scene.shop.row.id)
        with pytest.raises(StopAsyncIteration):
            await listener.until_its_end()
        told = (await client.get("/metrics")).text
        assert 'aside_streams_ended_total{reason="key"} 1.0' in told


async def test_a_replica_that_is_told_to_stop_ends_its_streams_and_is_gone(scene: Scene):
    async with scene.following(scene.all) as listener:
        ending = asyncio.create_task(asyncio.to_thread(scene.service.terminate, GRACE_SECONDS / 2))
        with pytest.raises(StopAsyncIteration):
            await listener.until_its_end()
        assert await ending == 0
    assert "Traceback" not in scene.service.log
