"""What a client sees of one entity, through HTTP, over the real service."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

JAPAN = {"name": "Japan", "area_km2": 377_975.21, "big": 12345678901234567890123, "日本": "🇯🇵"}


def meaning(document: str) -> Any:
    return json.loads(document, parse_int=Decimal, parse_float=Decimal)


async def test_from_nothing_to_nothing(client: httpx.AsyncClient, path: str) -> None:
    absent = await client.get(path)
    assert (absent.status_code, absent.headers["content-type"]) == (404, "application/problem+json")

    created = await client.put(path, json=JAPAN)
    assert (created.status_code, created.headers["location"]) == (201, path)
    assert created.json() == JAPAN
    assert created.headers["aside-cache"] == "applied"

    first, second = await client.get(path), await client.get(path)
    assert first.content == second.content == created.content
    assert first.headers["etag"] == second.headers["etag"] == created.headers["etag"]
    assert first.headers["cache-status"] == "aside; fwd=uri-miss; stored"
    assert second.headers["cache-status"].startswith("aside; hit; ttl=")
    assert "db;dur=" in first.headers["server-timing"]
    assert "db;dur=" not in second.headers["server-timing"]

    changed = await client.patch(path, json={"name": None, "capital": "Tokyo"})
    assert changed.json() == {**{k: v for k, v in JAPAN.items() if k != "name"}, "capital": "Tokyo"}
    assert (await client.get(path)).content == changed.content

    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 404

    again = await client.put(path, json={})
    assert again.status_code == 201
    assert int(again.headers["etag"].strip('"')) > int(changed.headers["etag"].strip('"'))


async def test_a_negative_answer_is_cached_and_says_so(client: httpx.AsyncClient, path: str) -> None:
    await client.get(path)
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-status"].startswith("aside; hit; ttl=")
    assert int(answer.headers["age"]) >= 0


async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    await client.put(path, json=JAPAN)
    await client.get(path)
    get, head = await client.get(path), await client.head(path)
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "last-modified", "cache-control"):
        assert head.headers[name] == get.headers[name]
    missing = await client.head("/v1/entities/country/XX")
    assert (missing.status_code, missing.content) == (404, b"")


async def test_a_reader_revalidates_for_nothing(client: httpx.AsyncClient, path: str) -> None:
    tag = (await client.put(path, json=1)).headers["etag"]
    same = await client.get(path, headers={"If-None-Match": f'W/{tag}, "x"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await client.put(path, json=2)
    other = await client.get(path, headers={"If-None-Match": tag})
    assert (other.status_code, other.json()) == (200, 2)


async def test_of_many_writers_on_condition_of_one_version_one_wins(client: httpx.AsyncClient, path: str) -> None:
    tag = (await client.put(path, json="start")).headers["etag"]
    answers = await asyncio.gather(*(client.put(path, json=n, headers={"If-Match": tag}) for n in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    [winner] = [answer for answer in answers if answer.status_code == 200]
    assert {answer.headers["etag"] for answer in answers} == {winner.headers["etag"]}
    assert (await client.get(path)).json() == winner.json()


async def test_of_many_creators_one_creates(client: httpx.AsyncClient, path: str) -> None:
    answers = await asyncio.gather(*(client.put(path, json=n, headers={"If-None-Match": "*"}) for n in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 9


@pytest.mark.parametrize("tags", ['"someone-elses"', 'W/"1"'])
async def test_a_tag_that_cannot_match_prevents_the_write(client: httpx.AsyncClient, path: str, tags: str) -> None:
    current = (await client.put(path, json=1)).headers["etag"]
    answer = await client.delete(path, headers={"If-Match": tags})
    assert (answer.status_code, answer.headers["etag"]) == (412, current)
    assert (await client.get(path)).json() == 1


@pytest.mark.parametrize(
    "document", ["null", "false", "0", '""', "[]", "{}", '"text"', "-0.0", "1e300", '"\\u0001\\ud83d\\ude00"']
)
async def test_any_json_value_is_a_document(client: httpx.AsyncClient, path: str, document: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await client.put(path, content=document, headers=headers)).status_code == 201
    answer = await client.get(path)
    assert answer.status_code == 200
    assert meaning(answer.text) == meaning(document)


async def test_a_document_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = {"Content-Type": "application/json"}
    fits = b'"' + b"x" * (1024 * 1024 - 2) + b'"'
    assert (await client.put(path, content=fits, headers=headers)).status_code == 201
    assert (await client.get(path)).content == fits
    refused = await client.put(path, content=fits + b" ", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")
    assert (await client.get("/livez")).status_code == 200


async def test_a_lifetime_of_its_own_is_used(client: httpx.AsyncClient, path: str) -> None:
    await client.put(f"{path}?ttl_seconds=20", json=1)
    await client.get(path)
    left = (await client.get(path)).headers["cache-status"].removeprefix("aside; hit; ttl=")
    assert 10 <= int(left) < 20


async def test_only_if_cached_never_asks_the_database(client: httpx.AsyncClient, path: str) -> None:
    only = {"Cache-Control": "only-if-cached"}
    await client.put(path, json=1)
    assert (await client.get(path, headers=only)).status_code == 504
    await client.get(path)
    assert (await client.get(path, headers=only)).status_code == 200


async def test_no_cache_asks_the_database_and_says_so(client: httpx.AsyncClient, path: str) -> None:
    await client.put(path, json=1)
    await client.get(path)
    answer = await client.get(path, headers={"Cache-Control": "no-cache"})
    assert answer.headers["cache-status"].startswith("aside; fwd=request")
    assert "age" not in answer.headers
