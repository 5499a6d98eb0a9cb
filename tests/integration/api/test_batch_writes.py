"""Batches of writes by HTTP, on real servers; every answer is held against the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import until_ready
from tests.support.openapi_truth import OpenApiTruth
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess

PATH = "/v1/batch-write"
RESULTS = ("applied", "deferred", "rolled_back", "not_found", "precondition_failed", "failed")


@pytest.fixture
async def client(shared_replica: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    """Whose every answer is held against the OpenAPI document."""
    async with httpx.AsyncClient(base_url=shared_replica.url) as client:
        await until_ready(client)
        client.event_hooks = {"response": [OpenApiTruth((await client.get("/openapi.json")).json())]}
        yield client


def write(op: str, entity_type: str, entity_id: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "entity_type": entity_type, "id": entity_id, **more}


async def post(client: httpx.AsyncClient, *writes: dict[str, Any], **more: Any) -> httpx.Response:
    return await client.post(PATH, json={"writes": writes}, **more)


async def test_what_was_written_is_read_at_once_under_the_etag_that_was_told(client: httpx.AsyncClient) -> None:
    answer = await post(client, write("put", "sum", "a", body={"n": 1}), write("put", "other", "a", body=[1]))
    assert [item["status"] for item in answer.json()["items"]] == [201, 201]
    for item in answer.json()["items"]:
        single = await client.get(f"/v1/entities/{item['entity_type']}/{item['id']}")
        assert single.headers["etag"] == item["etag"] == f'"{item["version"]}"'


async def test_a_purchase_is_done_as_a_whole_and_a_second_one_of_the_same_stock_not_at_all(
    client: httpx.AsyncClient,
) -> None:
    await post(client, write("put", "stock", "dune", body={"left": 12}), write("put", "basket", "ann", body=["dune"]))
    version = (await client.get("/v1/entities/stock/dune")).headers["etag"]

    def purchase(order: str) -> list[dict[str, Any]]:
        return [
            write("put", "order", order, body={"item": "dune"}, if_none_match="*"),
            write("patch", "stock", "dune", body={"left": 11}, if_match=version),
            write("delete", "basket", "ann"),
        ]

    first = await post(client, *purchase("1"))
    assert [item["status"] for item in first.json()["items"]] == [201, 200, 204]
    second = await post(client, *purchase("2"))
    assert second.status_code == 409
    now = await client.get("/v1/entities/stock/dune")
    assert [(fault["pointer"], fault["status"], fault.get("etag")) for fault in second.json()["errors"]] == [
        ("/writes/1", 412, now.headers["etag"]),
        ("/writes/2", 404, None),
    ]
    assert (await client.get("/v1/entities/order/2")).status_code == 404
    assert now.json() == {"left": 11}


async def test_a_dry_run_foretells_and_changes_nothing(client: httpx.AsyncClient) -> None:
    await post(client, write("put", "dry", "a", body={"n": 1}))
    before = await client.get("/v1/entities/dry/a")
    writes = [write("patch", "dry", "a", body={"n": 2}), write("put", "dry", "b", body=1)]
    foretold = await post(client, *writes, params={"dry_run": "true"})
    assert [item["status"] for item in foretold.json()["items"]] == [200, 201]
    refused = await post(client, write("delete", "dry", "b"), params={"dry_run": "true"})
    assert refused.status_code == 404
    after = await client.get("/v1/entities/dry/a")
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])
    assert (await client.get("/v1/entities/dry/b")).status_code == 404


async def test_documents_are_stored_as_they_were_sent_digit_by_digit(client: httpx.AsyncClient) -> None:
    document = '{"n": 1.50, "big": 123456789012345678901234567890, "s": "日本\\\\"}'
    body = f'{{"writes": [{{"op": "put", "entity_type": "exact", "id": "a", "body": {document}}}]}}'
    answer = await client.post(PATH, content=body.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    await client.put("/v1/entities/exact/b", content=document.encode(), headers={"Content-Type": "application/json"})
    alone = await client.get("/v1/entities/exact/b")
    assert (await client.get("/v1/entities/exact/a")).content == alone.content
    assert b"1.50" in alone.content


async def test_a_lifetime_of_its_own_is_kept_with_each_write(client: httpx.AsyncClient) -> None:
    await post(client, write("put", "life", "a", body=1, ttl_seconds=5), write("put", "life", "b", body=1))
    lives = []
    for name in "ab":
        for _ in ("a miss", "a hit"):
            answer = await client.get(f"/v1/entities/life/{name}")
        lives.append(int(answer.headers["cache-status"].partition("ttl=")[2]))
    assert lives[0] < 5 < lives[1]


async def test_parameters_are_refused_and_take_the_batch_with_them(client: httpx.AsyncClient) -> None:
    answer = await post(client, write("put", "with", "a", body=1), write("put", "parameter", "app:x", body={}))
    assert answer.status_code == 409
    [fault] = answer.json()["errors"]
    assert (fault["pointer"], fault["status"], fault["type"]) == ("/writes/1", 405, "/problems/reserved-type")
    assert (await client.get("/v1/entities/with/a")).status_code == 404


async def test_every_write_of_a_batch_is_counted(client: httpx.AsyncClient, shared_replica: ServiceProcess) -> None:
    before = await scrape([shared_replica.url])
    await post(client, *[write("put", "counted", f"i{n}", body=n) for n in range(20)])
    await post(client, write("put", "counted", "new", body=1), write("delete", "counted", "none"))
    await post(client, write("put", "counted", "i1", body=1, if_none_match="*"))
    told = (await scrape([shared_replica.url])).since(before)
    assert {result: told.total_of("aside_writes_total", result=result) for result in RESULTS} == {
        "applied": 20, "deferred": 0, "rolled_back": 1, "not_found": 1, "precondition_failed": 1, "failed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b'{"writes": [', "application/json", 400),
        (b"{}", "text/plain", 415),
        (json.dumps({"writes": [write("put", "a", "b", body="x" * 1_048_576)]}).encode(), "application/json", 413),
        (b"{}", "application/json", 422),
    ],
)
async def test_a_body_is_limited_and_judged_as_any_other(
    client: httpx.AsyncClient, content: bytes, media_type: str, status: int
) -> None:
    answer = await client.post(PATH, content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status, answer.text
