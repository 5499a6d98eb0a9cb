"""Pages of parameters by prefix, and reads of many keys at once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


async def fill(client: httpx.AsyncClient, *keys: str) -> None:
    for key in keys:
        (await client.put(f"/v1/parameters/{key}", json={"type": "string", "value": key})).raise_for_status()


async def pages(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    """All pages, by following the Link header."""
    found: list[dict[str, Any]] = []
    place: str | None = f"/v1/parameters?{query}"
    while place is not None:
        page = await client.get(place)
        assert page.status_code == 200, page.text
        found.append(page.json())
        place = page.links["next"]["url"] if "next" in page.links else None
    return found


async def test_a_prefix_is_listed_in_order_page_by_page_and_nothing_else(client: httpx.AsyncClient) -> None:
    inside = [f"list:a:{n:02}" for n in range(7)]
    await fill(client, *reversed(inside), "list:a", "list:a@", "list:A:1", "list:b:1", "list:a~", "lists")
    found = await pages(client, "prefix=list:a:&limit=3")
    assert [len(page["parameters"]) for page in found] == [3, 3, 1]
    assert [each["key"] for page in found for each in page["parameters"]] == inside
    assert [page["next_cursor"] for page in found] == [inside[2], inside[5], None]
    assert found[0]["parameters"][0] == (await client.get(f"/v1/parameters/{inside[0]}")).json()


async def test_a_full_last_page_says_that_it_is_the_last(client: httpx.AsyncClient) -> None:
    await fill(client, "full:1", "full:2")
    [page] = await pages(client, "prefix=full:&limit=2")
    assert page["next_cursor"] is None


async def test_a_page_begins_where_the_one_before_ended_whatever_was_written_meanwhile(
    client: httpx.AsyncClient,
) -> None:
    await fill(client, "move:b", "move:d", "move:f")
    first = await client.get("/v1/parameters?prefix=move:&limit=2")
    await fill(client, "move:a", "move:c", "move:e")
    await client.delete("/v1/parameters/move:d")
    rest = await client.get(first.links["next"]["url"])
    assert [each["key"] for each in rest.json()["parameters"]] == ["move:e", "move:f"]


@pytest.mark.parametrize("last", ["~", "@", ":"])
async def test_a_prefix_may_end_with_any_character_of_a_key(client: httpx.AsyncClient, last: str) -> None:
    await fill(client, f"end{last}x", f"end{last}", "ende")
    [page] = await pages(client, f"prefix=end{last}")
    assert [each["key"] for each in page["parameters"]] == [f"end{last}", f"end{last}x"]


async def test_no_prefix_lists_all_and_a_deleted_one_is_not_listed(client: httpx.AsyncClient) -> None:
    await fill(client, "gone:1", "gone:2")
    await client.delete("/v1/parameters/gone:1")
    keys = [each["key"] for page in await pages(client, "limit=1000") for each in page["parameters"]]
    assert "gone:2" in keys
    assert "gone:1" not in keys
    assert keys == sorted(keys)


async def test_many_keys_are_answered_in_order_each_with_its_own_status(client: httpx.AsyncClient) -> None:
    await fill(client, "many:1", "many:2")
    keys = ["many:2", "many:none", "many:1", "not a key", "many:2"]
    answer = await client.post("/v1/parameters/batch-read", json={"keys": keys})
    results = answer.json()["results"]
    assert [(each["key"], each["status"]) for each in results] == list(
        zip(keys, [200, 404, 200, 422, 200], strict=True)
    )
    single = await client.get("/v1/parameters/many:2")
    assert results[0]["body"] == results[4]["body"] == single.json()
    assert f'"{results[0]["version"]}"' == single.headers["etag"]
    assert results[1]["problem"]["type"] == "/problems/not-found"
    assert results[1]["problem"]["request_id"] == answer.headers["x-request-id"]


async def test_a_batch_may_ask_past_the_cache_or_for_the_cache_only(client: httpx.AsyncClient) -> None:
    await fill(client, "wish:1")
    body = {"keys": ["wish:1", "wish:unknown"]}
    only = await client.post("/v1/parameters/batch-read", json=body, headers={"Cache-Control": "only-if-cached"})
    assert [each["status"] for each in only.json()["results"]] == [200, 504]
    past = await client.post("/v1/parameters/batch-read", json=body, headers={"Cache-Control": "no-cache"})
    assert [each["status"] for each in past.json()["results"]] == [200, 404]


@pytest.mark.parametrize(
    "body", [[], {}, {"keys": "a"}, {"keys": [1]}, {"keys": ["a"], "x": 1}, {"keys": [f"k{n}" for n in range(1_001)]}]
)
async def test_a_batch_of_another_form_is_refused(client: httpx.AsyncClient, body: object) -> None:
    assert (await client.post("/v1/parameters/batch-read", json=body)).status_code == 422


async def test_no_keys_are_no_results(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/parameters/batch-read", json={"keys": []})).json() == {"results": []}


async def test_batch_read_is_a_key_like_any_other(client: httpx.AsyncClient) -> None:
    await fill(client, "batch-read")
    assert (await client.get("/v1/parameters/batch-read/value")).json() == "batch-read"
