"""Reads of many entities at once: each id has its own answer, in order, out of the bytes that are stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import until_ready
from tests.support.openapi_truth import OpenApiTruth
from tests.support.service_process import ServiceProcess

BATCH = "/v1/entities/{}/batch-read"


@pytest.fixture
async def client(shared_replica: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    """Whose every answer is held against the OpenAPI document."""
    async with httpx.AsyncClient(base_url=shared_replica.url) as client:
        await until_ready(client)
        client.event_hooks = {"response": [OpenApiTruth((await client.get("/openapi.json")).json())]}
        yield client


async def fill(client: httpx.AsyncClient, entity_type: str, *ids: str) -> None:
    for each in ids:
        (await client.put(f"/v1/entities/{entity_type}/{each}", json={"name": each})).raise_for_status()


async def read(client: httpx.AsyncClient, entity_type: str, *ids: str, **headers: str) -> list[dict[str, Any]]:
    answer = await client.post(BATCH.format(entity_type), json={"ids": ids}, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    assert [item["id"] for item in items] == list(ids)
    return items


async def test_ids_are_answered_in_order_each_with_its_own_status(client: httpx.AsyncClient) -> None:
    await fill(client, "order", "b", "a", "gone")
    await client.delete("/v1/entities/order/gone")
    for _ in ("misses and a tombstone", "hits"):
        items = await read(client, "order", "b", "none", "a", "gone", "b")
        assert [item["status"] for item in items] == [200, 404, 200, 404, 200]
        assert items[0] == items[4]
    single = await client.get("/v1/entities/order/b")
    assert items[0]["body"] == single.json()
    assert f'"{items[0]["version"]}"' == single.headers["etag"]
    assert set(items[0]) == {"id", "status", "version", "body"}
    assert set(items[1]) == {"id", "status", "problem"}


async def test_a_problem_is_the_one_that_a_single_read_gets(client: httpx.AsyncClient) -> None:
    path = "/v1/entities/problem/none"
    answer = await client.post(BATCH.format("problem"), json={"ids": ["none"]}, headers={"X-Request-Id": "same"})
    single = await client.get(path, headers={"X-Request-Id": "same"})
    assert answer.json()["items"][0]["problem"] == single.json()


async def test_a_bad_id_has_its_place_told_and_harms_no_other(client: httpx.AsyncClient) -> None:
    await fill(client, "bad", "ok")
    odd = ["", "é", "a/b", "a\nok", "ok\n", "%", "x" * 256, '"', "\\"]
    items = await read(client, "bad", "ok", *odd, "x" * 255)
    assert [item["status"] for item in items] == [200, *[422] * len(odd), 404]
    for place, item in enumerate(items[1:-1], start=1):
        assert item["problem"]["type"] == "/problems/invalid-request"
        assert item["problem"]["errors"][0]["pointer"] == f"/ids/{place}"


async def test_bodies_are_served_as_they_are_stored_byte_by_byte(client: httpx.AsyncClient) -> None:
    stored = b'{"n": 1.50, "big": 123456789012345678901234567890, "s": "\\u0001\xe6\x97\xa5\\\\", "f": 1e2}'
    await client.put("/v1/entities/bytes/a", content=stored, headers={"Content-Type": "application/json"})
    single = (await client.get("/v1/entities/bytes/a")).content
    for _ in ("a miss, or a hit", "a hit"):
        answer = await client.post(BATCH.format("bytes"), json={"ids": ["a", "a"]})
        version = answer.json()["items"][0]["version"]
        item = b'{"id": "a", "status": 200, "version": %d, "body": %b}' % (version, single)
        assert answer.content == b'{"items": [%b, %b]}' % (item, item)


async def test_a_batch_may_ask_past_the_cache_or_for_the_cache_only_or_for_its_own_write(
    client: httpx.AsyncClient,
) -> None:
    await fill(client, "wish", "known")
    await client.get("/v1/entities/wish/known")

    async def statuses(**headers: str) -> list[int]:
        return [item["status"] for item in await read(client, "wish", "known", "unknown", **headers)]

    assert await statuses(**{"Cache-Control": "only-if-cached"}) == [200, 504]
    assert await statuses(**{"Cache-Control": "no-cache"}) == [200, 404]
    written = await client.put("/v1/entities/wish/known", json=2)
    [own, _] = await read(
        client, "wish", "known", "unknown", **{"Aside-Min-Version": written.headers["etag"].strip('"')}
    )
    assert own["body"] == 2
    nonsense = await client.post(BATCH.format("wish"), json={"ids": ["known"]}, headers={"Cache-Control": "max-age=x"})
    assert nonsense.status_code == 400


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""), ({}, ""), ({"ids": "a"}, ""), ({"ids": ["a"], "x": 1}, ""), ({"keys": ["a"]}, ""),
        ({"ids": []}, "/ids"), ({"ids": [f"i{n}" for n in range(1_001)]}, "/ids"), ({"ids": ["a", 1]}, "/ids/1"),
    ],
)  # fmt: skip
async def test_a_batch_of_another_form_is_refused_by_place(
    client: httpx.AsyncClient, body: object, pointer: str
) -> None:
    answer = await client.post(BATCH.format("form"), json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-body")
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b'{"ids": [', "application/json", 400),
        (b'{"ids": ["a"], "ids": ["b"]}', "application/json", 400),
        (b'{"ids": ["a"]}', "text/plain", 415),
        (b'{"ids": ["' + b"x" * 1_048_576 + b'"]}', "application/json", 413),
        (b'{"ids": ' + b"[" * 65 + b"]" * 65 + b"}", "application/json", 422),
    ],
)
async def test_a_body_is_limited_and_judged_as_any_other(
    client: httpx.AsyncClient, content: bytes, media_type: str, status: int
) -> None:
    answer = await client.post(BATCH.format("limits"), content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status, answer.text


async def test_a_type_that_nothing_can_be_of_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(BATCH.format("Country"), json={"ids": ["JP"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "entity_type"


async def test_parameters_are_read_here_as_they_are_served_singly(client: httpx.AsyncClient) -> None:
    await client.put("/v1/parameters/app:batch:one", json={"type": "integer", "value": 1})
    [item] = await read(client, "parameter", "app:batch:one")
    assert item["body"] == (await client.get("/v1/entities/parameter/app:batch:one")).json()


async def test_batch_read_is_an_id_like_any_other(client: httpx.AsyncClient) -> None:
    await fill(client, "named", "batch-read")
    assert (await client.get("/v1/entities/named/batch-read")).json() == {"name": "batch-read"}
    [item] = await read(client, "named", "batch-read")
    assert item["status"] == 200


async def test_a_refused_method_is_told_what_the_id_and_the_batch_allow_together(client: httpx.AsyncClient) -> None:
    answer = await client.options(BATCH.format("named"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH, POST, PUT")
