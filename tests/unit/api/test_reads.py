"""GET and HEAD of one entity, as HTTP."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.cache.entry import Detail, Outcome, Wish
from service.errors import NotCachedError
from tests.unit.api.stand_in import StandIn

PATH = "/v1/entities/country/JP"


async def test_a_document_is_answered_byte_for_byte_as_it_is_stored(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stored = '{"name": "日本", "ratio": 1.50, "n": 12345678901234567890}'.encode()
    stand_in.holds("country", "JP", raw=stored)
    answer = await client.get(PATH)
    assert answer.status_code == 200
    assert answer.content == stored
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] == '"7"'
    assert answer.headers["last-modified"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    assert answer.headers["cache-control"] == "no-cache"


async def test_head_has_the_headers_of_get_and_no_body(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", {"name": "Japan"})
    get, head = await client.get(PATH), await client.head(PATH)
    assert head.content == b""
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(get.content))
    assert {**head.headers, "x-request-id": ""} == {**get.headers, "x-request-id": ""}


@pytest.mark.parametrize("entity_id", ["JP", "XX", "%20"])
async def test_head_sends_the_length_of_a_body_and_none_of_it(
    app: FastAPI, client: httpx.AsyncClient, stand_in: StandIn, entity_id: str
) -> None:
    """Below httpx, which would drop the body itself."""
    stand_in.holds("country", "JP", {"name": "Japan"})
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    path = f"/v1/entities/country/{entity_id}"
    scope = {"type": "http", "method": "HEAD", "path": path, "query_string": b"", "headers": []}
    await app(scope, receive, send)
    get = await client.get(path)
    assert sent[0]["status"] == get.status_code
    assert int(dict(sent[0]["headers"])[b"content-length"]) > 0
    assert b"".join(message["body"] for message in sent[1:]) == b""


async def test_an_absent_entity_is_a_problem_that_says_where_the_answer_came_from(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.answer = stand_in.answer._replace(age_ms=2_500, ttl_ms=27_500)
    answer = await client.get(PATH)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-status"] == "aside; hit; ttl=27"
    assert answer.headers["age"] == "2"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("tags", ['"7"', 'W/"7"', '"3", "7"', "*", '"other", W/"7"'])
async def test_a_reader_that_has_the_version_gets_304_without_a_body(
    client: httpx.AsyncClient, stand_in: StandIn, tags: str
) -> None:
    stand_in.holds("country", "JP", {})
    answer = await client.get(PATH, headers={"If-None-Match": tags})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"7"'
    assert answer.headers["cache-control"] == "no-cache"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("tags", ['"8"', '"07"', '"abc"', 'w/"7-gzip"'.upper()])
async def test_a_reader_that_has_another_version_gets_the_document(
    client: httpx.AsyncClient, stand_in: StandIn, tags: str
) -> None:
    stand_in.holds("country", "JP", {})
    assert (await client.get(PATH, headers={"If-None-Match": tags})).status_code == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Fri, 20 Nov 2026 08:00:01 GMT", 304),
        ("Fri, 20 Nov 2026 08:00:00 GMT", 200),  # written half a second into that second, perhaps again after it
        ("yesterday", 200),
    ],
)
async def test_a_date_leads_to_304_only_where_it_proves_that_nothing_was_written(
    client: httpx.AsyncClient, stand_in: StandIn, since: str, status: int
) -> None:
    stand_in.holds("country", "JP", {})
    assert (await client.get(PATH, headers={"If-Modified-Since": since})).status_code == status


async def test_an_entity_tag_outweighs_a_date(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", {})
    headers = {"If-None-Match": '"3"', "If-Modified-Since": "Sat, 21 Nov 2026 08:00:00 GMT"}
    assert (await client.get(PATH, headers=headers)).status_code == 200


async def test_a_read_on_condition_of_another_version_is_refused_with_the_current_one(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.holds("country", "JP", {})
    answer = await client.get(PATH, headers={"If-Match": '"3"'})
    assert (answer.status_code, answer.headers["etag"]) == (412, '"7"')


async def test_what_a_reader_wants_of_the_cache_reaches_the_service(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    headers = {"Cache-Control": "no-cache, max-age=5, stale-if-error=60", "Aside-Min-Version": "41"}
    await client.get(PATH, headers=headers)
    assert stand_in.wishes == [Wish(no_cache=True, max_age_seconds=5.0, stale_if_error_seconds=60.0, min_version=41)]


async def test_only_if_cached_and_not_cached_is_504(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.failure = NotCachedError("the cache has no answer")
    answer = await client.get(PATH, headers={"Cache-Control": "only-if-cached"})
    assert (answer.status_code, answer.json()["type"]) == (504, "/problems/not-cached")


async def test_times_are_told_where_there_were_any(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", {})
    assert "server-timing" not in (await client.get(PATH)).headers
    stand_in.answer = stand_in.answer._replace(
        outcome=Outcome.MISS, detail=Detail.NONE, stored=True, cache_ms=0.412, load_ms=1.9
    )
    answer = await client.get(PATH)
    assert answer.headers["server-timing"] == "cache;dur=0.41, db;dur=1.90"
    assert answer.headers["cache-status"] == "aside; fwd=uri-miss; stored"
    assert "age" not in answer.headers
