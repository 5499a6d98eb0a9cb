"""A key that is revoked is refused by every replica within B, also by one that cannot ask which keys were."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from service.db.migrations import upgrade
from service.services.api_keys import NewKey
from tests.conftest import PostgresFactory, Replicas
from tests.support.keys import bearer, make_key, revoke_key
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

PATH = "/v1/entities/thing/x"
BOUND_SECONDS = 2.0
UNKNOWN = (401, "/problems/unauthenticated")
UNSURE = (503, "/problems/revocations-unknown")

Said = tuple[int, str]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


class Asker:
    """Asks replicas with one key."""

    def __init__(self, client: httpx.AsyncClient, key: NewKey | None) -> None:
        self._client = client
        self._headers = {} if key is None else bearer(key)

    async def reads(self, replica: ServiceProcess, path: str = PATH) -> Said:
        answer = await self._client.get(replica.url + path, headers=self._headers)
        return answer.status_code, answer.json()["type"] if answer.status_code >= 400 else ""

    async def is_let_in(self, replica: ServiceProcess, path: str = PATH) -> bool:
        return (await self.reads(replica, path))[0] in {200, 404}

    async def sends(self, method: str, url: str) -> int:
        return (await self._client.request(method, url, headers=self._headers)).status_code

    async def puts(self, replica: ServiceProcess) -> None:
        answer = await self._client.put(replica.url + PATH, json={}, headers=self._headers)
        assert answer.is_success


async def made(url: str, name: str, *scopes: str) -> NewKey:
    return await asyncio.to_thread(make_key, url, name, *scopes)


async def test_a_key_that_is_revoked_is_refused_at_once_there_and_by_the_others_within_the_bound(
    replicas: Replicas, database_url: str, client: httpx.AsyncClient
):
    shop_key = await made(database_url, "shop", "read:thing", "write:thing")
    admin, shop = Asker(client, await made(database_url, "admin", "admin:*")), Asker(client, shop_key)
    one, other = replicas(2, ASIDE_ACCESS__REQUIRED="true", ASIDE_BOUND_SECONDS=str(BOUND_SECONDS))
    for replica in (one, other):
        await eventually(lambda replica=replica: admin.is_let_in(replica, "/v1/keys"))
    await shop.puts(one)
    for replica in (one, other, one, other):
        assert await shop.reads(replica) == (200, "")
    assert await admin.sends("DELETE", f"{one.url}/v1/keys/{shop_key.row.id}") == 204
    revoked_at = time.monotonic()
    assert await shop.reads(one) == UNKNOWN
    let_in = [0.0]
    while (said := await timed(shop, other))[1] == (200, ""):
        let_in.append(said[0] - revoked_at)
    assert said[1] == UNKNOWN
    assert max(let_in) < BOUND_SECONDS  # not how fast it is: a request that began later must not have been let in


async def timed(asker: Asker, replica: ServiceProcess) -> tuple[float, Said]:
    """When it was asked, and what was said."""
    began_at = time.monotonic()
    return began_at, await asker.reads(replica)


async def test_who_cannot_ask_which_keys_were_revoked_takes_none_unless_it_is_given_time(
    replicas: Replicas, postgres_factory: PostgresFactory, client: httpx.AsyncClient
):
    server = postgres_factory()
    await asyncio.to_thread(upgrade, server.url)
    shop_key = await made(server.url, "shop", "read:thing", "write:thing")
    shop, other, nobody = (
        Asker(client, shop_key),
        Asker(client, await made(server.url, "other", "read:*")),
        Asker(client, None),
    )
    environment = {"DATABASE_URL": server.url, "ASIDE_ACCESS__REQUIRED": "true"}
    [strict] = replicas(**environment)
    [patient] = replicas(**environment, ASIDE_ACCESS__GRACE_SECONDS="3600")
    for replica in (strict, patient):
        await eventually(lambda replica=replica: shop.is_let_in(replica))
    await shop.puts(patient)
    server.pause()
    try:
        await eventually(lambda: says(shop, strict, UNSURE))
        assert await nobody.reads(strict) == UNKNOWN
        assert (await client.get(f"{strict.url}/readyz")).status_code == 503
        assert await shop.reads(patient) != UNSURE
    finally:
        server.resume()
    await eventually(lambda: other.is_let_in(strict), within_seconds=20)
    await asyncio.to_thread(revoke_key, server.url, shop_key.row.id)
    for replica in (strict, patient):
        await eventually(lambda replica=replica: says(shop, replica, UNKNOWN))
    assert await other.is_let_in(strict)


async def says(asker: Asker, replica: ServiceProcess, what: Said) -> bool:
    return await asker.reads(replica) == what
