"""Writes that are sent again, by HTTP, on two real replicas of which one has no Redis; every answer is held against the
OpenAPI document.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import asyncpg
import httpx
import pytest

from service.embedded import Valkey, free_port
from tests.integration.api.conftest import until_ready
from tests.support.openapi_truth import OpenApiTruth
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

_numbers = count()
BATCH = "/v1/batch-write"
OF_THE_ANSWER_ITSELF = {"date", "x-request-id", "idempotency-replayed"}


@pytest.fixture(scope="module")
def pair(
    module_database_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ServiceProcess]]:
    """The second one cannot tell the cache what it has committed, and waits until the first one's relay has."""
    command(valkey.url, "FLUSHALL")
    folder = tmp_path_factory.mktemp("replicas")
    whole = {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url, "ASIDE_BOUND_SECONDS": "10"}
    half = whole | {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    replicas = [ServiceProcess(folder / name, its, is_forked=True) for name, its in (("whole", whole), ("half", half))]
    try:
        replicas[0].start()
        while httpx.get(f"{replicas[0].url}/readyz").json()["status"] != "ready":
            assert replicas[0].is_running
        yield [replicas[0], replicas[1].start()]
    finally:
        for replica in replicas:
            replica.kill()


@pytest.fixture
async def client(pair: list[ServiceProcess]) -> AsyncIterator[httpx.AsyncClient]:
    """Of the first replica."""
    async with httpx.AsyncClient(base_url=pair[0].url) as client:
        await until_ready(client)
        client.event_hooks = {"response": [OpenApiTruth((await client.get("/openapi.json")).json())]}
        yield client


@pytest.fixture
async def other_client(pair: list[ServiceProcess]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pair[1].url, timeout=20) as client:
        yield client


@pytest.fixture
async def database(module_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(module_database_url)
    yield connection
    await connection.close()


@pytest.fixture
def name() -> str:
    return f"n{next(_numbers)}"


@pytest.fixture
def same() -> dict[str, str]:
    """A key that no other test uses."""
    return {"Idempotency-Key": f'"key-of-test-{next(_numbers)}"'}


def said(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_ANSWER_ITSELF}
    return answer.status_code, answer.content, headers


async def changes(database: asyncpg.Connection) -> int:
    return int(await database.fetchval("SELECT count(*) FROM change"))


def requests(name: str, etags: dict[str, str]) -> list[tuple[int, str, str, dict[str, str], Any]]:
    """Of every kind of write one that could not be done twice, or would be seen to be; in an order that allows each."""
    entity, parameter = f"/v1/entities/again/{name}", f"/v1/parameters/app:{name}"
    batch = [
        {"op": "put", "entity_type": "again", "id": f"{name}-batch", "body": 1, "if_none_match": "*"},
        {"op": "patch", "entity_type": "again", "id": name, "body": {"m": 2}},
    ]
    integer = {"type": "integer", "value": 1}
    return [
        (201, "PUT", entity, {"If-None-Match": "*"}, {"n": 1}),
        (200, "PUT", f"{entity}?ttl_seconds=60", {}, {"n": 2}),
        (200, "PATCH", entity, {"If-Match": etags.get(entity, "*")}, {"n": 3}),
        (200, "POST", BATCH, {}, {"writes": batch}),
        (204, "DELETE", entity, {}, None),
        (201, "PUT", parameter, {"If-None-Match": "*", "Aside-Actor": "ann"}, integer),
        (200, "PUT", f"{parameter}/value", {"If-Match": etags.get(parameter, "*")}, 2),
        (200, "POST", f"{parameter}/rollback", {}, {"version": int(etags.get(parameter, '"1"').strip('"'))}),
        (204, "DELETE", parameter, {}, None),
    ]


async def test_of_every_kind_of_write_the_repeat_is_answered_as_the_first_was_and_writes_nothing(
    client: httpx.AsyncClient, database: asyncpg.Connection, name: str, same: dict[str, str]
) -> None:
    etags: dict[str, str] = {}
    for place in range(9):
        status, method, path, headers, body = requests(name, etags)[place]
        headers = headers | {"Idempotency-Key": f'"{same["Idempotency-Key"][1:-1]}-{place}"'}
        first = await client.request(method, path, headers=headers, json=body)
        assert first.status_code == status, first.text
        before = await changes(database)
        again = await client.request(method, path, headers=headers, json=body)
        assert said(again) == said(first), (method, path)
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        assert await changes(database) == before
        etags.setdefault(path.partition("?")[0], first.headers.get("etag", ""))
        if place == 1:
            etags[path.partition("?")[0]] = first.headers["etag"]
    history = (await client.get(f"/v1/parameters/app:{name}/versions")).json()["versions"]
    assert [each["kind"] for each in history] == ["deleted", "rolled_back", "updated", "created"]


async def test_a_later_write_stays_whatever_is_repeated_after_it(
    client: httpx.AsyncClient, path: str, same: dict[str, str]
) -> None:
    first = await client.put(path, json=1, headers=same)
    later = await client.put(path, json=2)
    again = await client.put(path, json=1, headers=same)
    assert said(again) == said(first)
    now = await client.get(path)
    assert (now.json(), now.headers["etag"]) == (2, later.headers["etag"])


async def test_another_request_with_the_same_key_is_refused_and_a_key_that_is_none_too(
    client: httpx.AsyncClient, path: str, same: dict[str, str], pair: list[ServiceProcess]
) -> None:
    await client.put(path, json=1, headers=same)
    for answer in (
        await client.put(path, json=2, headers=same),
        await client.put(f"{path}-b", json=1, headers=same),
        await client.put(path, json=1, headers={**same, "If-Match": "*"}),
        await client.delete(path, headers=same),
        await client.post(
            BATCH,
            json={"writes": [{"op": "delete", "entity_type": "country", "id": path.rpartition("/")[2]}]},
            headers=same,
        ),
    ):
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
    malformed = await client.put(path, json=1, headers={"Idempotency-Key": same["Idempotency-Key"].strip('"')})
    assert (malformed.status_code, malformed.json()["type"]) == (400, "/problems/invalid-input")
    assert (await client.get(path)).json() == 1
    assert "key-of-test" not in pair[0].log


async def test_what_was_refused_may_be_mended_and_sent_again_with_the_same_key(
    client: httpx.AsyncClient, path: str, same: dict[str, str]
) -> None:
    assert (await client.patch(path, json=1, headers=same)).status_code == 404
    assert (await client.put(path, json=1, headers={**same, "If-Match": '"1"'})).status_code == 412
    assert (await client.put(path, content="{", headers={**same, "Content-Type": "text/json"})).status_code == 415
    entity_id = path.rpartition("/")[2]
    refused = {"op": "patch", "entity_type": "country", "id": entity_id, "body": 1}
    assert (await client.post(BATCH, json={"writes": [refused]}, headers=same)).status_code == 404
    dry = await client.post(BATCH, json={"writes": [refused | {"op": "put"}]}, headers=same, params={"dry_run": "true"})
    assert dry.status_code == 200
    done = await client.put(path, json=2, headers=same)
    assert (done.status_code, "idempotency-replayed" in done.headers) == (201, False)


async def test_of_many_attempts_at_once_on_two_replicas_exactly_one_writes(
    client: httpx.AsyncClient, other_client: httpx.AsyncClient, database: asyncpg.Connection, name: str,
    same: dict[str, str],
) -> None:  # fmt: skip
    path, before = f"/v1/entities/again/{name}", await changes(database)
    crowd = [each.put(path, json=1, headers=same) for each in (client, other_client) * 8]
    answers = await asyncio.gather(*crowd)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [answer.headers.get("idempotency-replayed") for answer in answers if answer.is_success].count(None) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"] == "/problems/idempotency-key-in-use"
    assert await changes(database) == before + 1
    for each in (client, other_client):
        again = await each.put(path, json=1, headers=same)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


async def test_a_repeat_on_another_replica_tells_what_the_first_was_killed_over(
    pair: list[ServiceProcess], client: httpx.AsyncClient, other_client: httpx.AsyncClient,
    database: asyncpg.Connection, name: str,
) -> None:  # fmt: skip
    """The last test: the second replica is gone afterwards. With the first one stopped there is no relay that would
    tell the cache, so the second one, which has committed, waits.
    """
    path, same = f"/v1/entities/again/{name}", {"Idempotency-Key": f'"{name}"'}
    await client.put(path, json=1)
    while not (await client.get(path)).headers["cache-status"].startswith("aside; hit"):
        pass
    pair[0].pause()
    try:
        first = asyncio.create_task(other_client.put(path, json=2, headers=same))
        committed = "SELECT body = '2' FROM entity WHERE entity_type = 'again' AND id = $1"
        await eventually(lambda: database.fetchval(committed, name), step_seconds=0.002)
        assert not first.done()
        pair[1].kill()
    finally:
        pair[0].resume()
    with pytest.raises(httpx.HTTPError):
        await first
    again = await client.put(path, json=2, headers=same)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.headers["aside-cache"] == "applied"
    now = await client.get(path)
    assert (now.json(), now.headers["etag"]) == (2, again.headers["etag"])
