"""Pages of entities: in order, none twice and none left out, whatever is written meanwhile; and a tag for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import until_ready
from tests.support.openapi_truth import OpenApiTruth
from tests.support.service_process import ServiceProcess


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


async def pages(client: httpx.AsyncClient, place: str) -> list[dict[str, Any]]:
    """All pages, by following the Link header."""
    found: list[dict[str, Any]] = []
    following: str | None = place
    while following is not None:
        page = await client.get(following)
        assert page.status_code == 200, page.text
        found.append(page.json())
        following = page.links["next"]["url"] if "next" in page.links else None
    return found


def ids_of(*found: dict[str, Any]) -> list[str]:
    return [each["id"] for page in found for each in page["entities"]]


async def test_a_type_is_listed_in_order_page_by_page_and_nothing_else(client: httpx.AsyncClient) -> None:
    inside = [f"a:{n:02}" for n in range(7)]
    await fill(client, "list-order", *reversed(inside), "a", "a@", "A:1", "b:1", "a~")
    await fill(client, "list-ordera", "a:00")
    found = await pages(client, "/v1/entities/list-order?prefix=a:&limit=3")
    assert [len(page["entities"]) for page in found] == [3, 3, 1]
    assert ids_of(*found) == inside
    assert [page["next_cursor"] for page in found] == [inside[2], inside[5], None]
    everything = await pages(client, "/v1/entities/list-order?limit=2")
    assert ids_of(*everything) == sorted([*inside, "a", "a@", "A:1", "b:1", "a~"])


async def test_an_item_says_what_a_single_read_says(client: httpx.AsyncClient) -> None:
    stored = b'{"n": 1.50, "big": 123456789012345678901234567890, "s": "\\u0001\xe6\x97\xa5%s"}'
    path = "/v1/entities/list-item/one"
    await client.put(path, content=stored, headers={"Content-Type": "application/json"})
    single = await client.get(path)
    page = await client.get("/v1/entities/list-item")
    [item] = page.json()["entities"]
    assert set(item) == {"id", "version", "updated_at", "body"}
    assert (item["id"], f'"{item["version"]}"') == ("one", single.headers["etag"])
    assert b'"body": %b}' % single.content in page.content
    [again] = (await client.get("/v1/entities/list-item")).json()["entities"]
    await client.put(path, json=2)
    [changed] = (await client.get("/v1/entities/list-item")).json()["entities"]
    assert item["updated_at"] == again["updated_at"] < changed["updated_at"]


async def test_a_deleted_one_is_not_listed_and_a_type_that_nobody_uses_is_an_empty_page(
    client: httpx.AsyncClient,
) -> None:
    await fill(client, "list-gone", "1", "2")
    await client.delete("/v1/entities/list-gone/1")
    assert ids_of((await client.get("/v1/entities/list-gone")).json()) == ["2"]
    nothing = await client.get("/v1/entities/list-nothing")
    assert (nothing.status_code, nothing.json()) == (200, {"entities": [], "next_cursor": None})
    assert "link" not in nothing.headers


@pytest.mark.parametrize("last", ["~", "@", ":", "Z"])
async def test_a_prefix_may_end_with_any_character_of_an_id(client: httpx.AsyncClient, last: str) -> None:
    entity_type = f"list-end{ord(last)}"
    await fill(client, entity_type, f"end{last}x", f"end{last}", "ende")
    [page] = await pages(client, f"/v1/entities/{entity_type}?prefix=end{last}")
    assert ids_of(page) == [f"end{last}", f"end{last}x"]


async def test_what_exists_throughout_is_listed_once_while_others_come_and_go(client: httpx.AsyncClient) -> None:
    lasting = [f"k{n:03}" for n in range(0, 120, 2)]
    passing = [f"k{n:03}" for n in range(1, 121, 2)]
    place = "/v1/entities/list-busy"
    await fill(client, "list-busy", *lasting, *passing[::2])
    listed = asyncio.Event()

    async def come_and_go() -> int:
        rounds = 0
        while not listed.is_set():
            each = passing[rounds % len(passing)]
            answer = await client.delete(f"{place}/{each}")
            if answer.status_code == 404:
                await client.put(f"{place}/{each}", json=rounds)
            await client.put(f"{place}/{lasting[rounds % len(lasting)]}", json=rounds)
            rounds += 1
        return rounds

    writer = asyncio.create_task(come_and_go())
    for _ in range(5):
        found = ids_of(*await pages(client, f"{place}?limit=7"))
        assert found == sorted(set(found))
        assert [each for each in found if each in set(lasting)] == lasting
    listed.set()
    assert await writer > 0


async def test_a_page_that_a_reader_has_is_304_until_anything_on_it_changes(client: httpx.AsyncClient) -> None:
    place = "/v1/entities/list-tag?limit=2"
    await fill(client, "list-tag", "a", "b", "c")
    seen = set()

    async def tag() -> str:
        first = await client.get(place)
        again = await client.get(place, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        seen.add(first.headers["etag"])
        stale = [await client.get(place, headers={"If-None-Match": old}) for old in seen - {first.headers["etag"]}]
        assert {answer.status_code for answer in stale} <= {200}
        return str(first.headers["etag"])

    first = await tag()
    await client.put("/v1/entities/list-tag/a", json="another")
    changed = await tag()
    await client.put("/v1/entities/list-tag/aa", json="between")
    longer = await tag()
    await client.delete("/v1/entities/list-tag/aa")
    assert await tag() == changed
    await client.delete("/v1/entities/list-tag/c")
    assert len({first, changed, longer, await tag()}) == 4, "there is no next page any more: another page"
    assert (await client.get(place, headers={"If-None-Match": "*"})).status_code == 304
    assert (await client.get(place, headers={"If-None-Match": "nonsense"})).status_code == 400


async def test_lists_of_parameters_have_tags_too(client: httpx.AsyncClient) -> None:
    await client.put("/v1/parameters/list:tag", json={"type": "integer", "value": 1})
    for place in ("/v1/parameters?prefix=list:", "/v1/parameters/list:tag/versions"):
        tag = (await client.get(place)).headers["etag"]
        assert (await client.get(place, headers={"If-None-Match": tag})).status_code == 304
        await client.put("/v1/parameters/list:tag/value", json=len(place))
        assert (await client.get(place, headers={"If-None-Match": tag})).status_code == 200


async def test_parameters_are_listed_here_as_they_are_served_singly(client: httpx.AsyncClient) -> None:
    await client.put("/v1/parameters/list:param", json={"type": "integer", "value": 1})
    [item] = (await client.get("/v1/entities/parameter?prefix=list:param")).json()["entities"]
    assert item["body"] == (await client.get("/v1/entities/parameter/list:param")).json()


@pytest.mark.parametrize(
    ("place", "parameter"),
    [
        ("Country", "entity_type"),
        ("country?limit=0", "limit"),
        ("country?limit=1001", "limit"),
        ("country?limit=x", "limit"),
        ("country?prefix=%2F", "prefix"),
        ("country?prefix=a%0A", "prefix"),
        ("country?cursor=%C3%A9", "cursor"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(client: httpx.AsyncClient, place: str, parameter: str) -> None:
    answer = await client.get(f"/v1/entities/{place}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == parameter


async def test_other_methods_than_get_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/entities/country", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
