"""PUT, PATCH and DELETE of one entity, as HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from service.cache.entry import Settled
from service.domain.entity import EntityKey, WriteCondition
from service.errors import DatabaseBusyError, WriteOutcomeUnknownError
from tests.unit.api.conftest import make_app, open_client
from tests.unit.api.stand_in import StandIn

PATH = "/v1/entities/country/JP"
JSON = {"Content-Type": "application/json"}
KEY = EntityKey("country", "JP")


async def test_a_new_entity_is_answered_with_201_its_place_and_what_was_stored(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    answer = await client.put(PATH, json={"name": "Japan"})
    assert answer.status_code == 201
    assert answer.json() == {"name": "Japan"}
    assert answer.headers["location"] == answer.headers["content-location"] == PATH
    assert answer.headers["etag"] == '"7"'
    assert answer.headers["last-modified"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    assert answer.headers["aside-cache"] == "applied"
    assert "preference-applied" not in answer.headers
    assert stand_in.waits == [True]


async def test_a_replaced_entity_is_answered_with_200_and_no_place(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.holds("country", "JP", {})
    answer = await client.put(PATH, json=[1])
    assert (answer.status_code, answer.json()) == (200, [1])
    assert "location" not in answer.headers


async def test_a_deferred_write_says_so(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.settled = Settled.DEFERRED
    answer = await client.put(PATH, json=1, headers={"Prefer": 'wait=10, respond-async; x="a,b"'})
    assert answer.headers["aside-cache"] == "deferred"
    assert answer.headers["preference-applied"] == "respond-async"
    assert stand_in.waits == [False]


async def test_a_lifetime_of_its_own_reaches_the_service(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    await client.put(f"{PATH}?ttl_seconds=2.5&unknown=x", json=1)
    assert stand_in.rows[KEY].ttl_seconds == 2.5


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e99", "2592001", "", "soon", "1_0"])
async def test_a_lifetime_out_of_bounds_is_refused(client: httpx.AsyncClient, stand_in: StandIn, value: str) -> None:
    answer = await client.put(PATH, params={"ttl_seconds": value}, json=1)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "ttl_seconds"
    assert stand_in.rows == {}


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({}, WriteCondition()),
        ({"If-Match": '"7", "9"'}, WriteCondition(if_match=frozenset({7, 9}))),
        ({"If-Match": "*"}, WriteCondition(if_match=frozenset())),
        ({"If-Match": 'W/"7"'}, WriteCondition(if_match=frozenset({-1}))),
        ({"If-None-Match": "*"}, WriteCondition(must_be_absent=True)),
    ],
)
async def test_the_condition_of_a_write_reaches_the_service(
    client: httpx.AsyncClient, stand_in: StandIn, headers: dict[str, str], condition: WriteCondition
) -> None:
    await client.put(PATH, json=1, headers=headers)
    assert stand_in.conditions == [condition]


async def test_a_condition_that_does_not_hold_is_412_with_the_current_tag(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.holds("country", "JP", {})
    answer = await client.put(PATH, json=1, headers={"If-Match": '"3"'})
    assert (answer.status_code, answer.headers["etag"]) == (412, '"7"')


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "7"},
        {"If-Match": ""},
        {"If-None-Match": '"7"'},
        {"If-Unmodified-Since": "Fri, 20 Nov 2026 08:00:00 GMT"},
    ],
)
async def test_a_condition_that_cannot_be_kept_prevents_the_write(
    client: httpx.AsyncClient, stand_in: StandIn, headers: dict[str, str]
) -> None:
    answer = await client.put(PATH, json=1, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, next(iter(headers)))
    assert stand_in.rows == {}


async def test_a_merge_patch_is_taken_under_both_its_names(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", {})
    for media_type in ("application/merge-patch+json", "application/json; charset=UTF-8"):
        answer = await client.patch(PATH, content=b'{"a": null}', headers={"Content-Type": media_type})
        assert answer.status_code == 200
        assert answer.headers["aside-cache"] == "applied"


async def test_a_json_patch_is_not_mistaken_for_a_merge_patch(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", {})
    answer = await client.patch(PATH, content=b"[]", headers={"Content-Type": "application/json-patch+json"})
    assert answer.status_code == 415
    assert answer.headers["accept-patch"] == "application/merge-patch+json, application/json"
    assert stand_in.rows[KEY].body == b"{}"


async def test_patch_and_delete_of_nothing_are_404(client: httpx.AsyncClient) -> None:
    assert (await client.patch(PATH, json={})).status_code == 404
    assert (await client.delete(PATH)).status_code == 404


async def test_a_delete_is_204_without_a_tag(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", {})
    answer = await client.delete(PATH)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["aside-cache"] == "applied"
    assert "etag" not in answer.headers
    assert stand_in.rows == {}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/merge-patch+json"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "json"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_of_another_kind_is_415(
    client: httpx.AsyncClient, stand_in: StandIn, headers: dict[str, str]
) -> None:
    answer = await client.put(PATH, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")
    assert stand_in.rows == {}


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.example.v2+json", "Application/JSON"])
async def test_json_is_taken_under_any_of_its_names(client: httpx.AsyncClient, media_type: str) -> None:
    assert (await client.put(PATH, content=b"null", headers={"Content-Type": media_type})).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 400, "malformed-json"),
        (b"{", 400, "malformed-json"),
        (b'{"a":1,"a":2}', 400, "malformed-json"),
        (b"[" * 65 + b"]" * 65, 422, "unacceptable-document"),
        (b'"\\u0000"', 422, "unacceptable-document"),
    ],
)
async def test_a_document_that_cannot_be_kept_is_refused(
    client: httpx.AsyncClient, stand_in: StandIn, body: bytes, status: int, slug: str
) -> None:
    answer = await client.put(PATH, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert stand_in.rows == {}


async def test_a_fault_is_placed_with_a_pointer(client: httpx.AsyncClient) -> None:
    answer = await client.put(PATH, content=b'[{"a/b": 1, "a/b": 2}]', headers=JSON)
    assert answer.json()["errors"] == [{"pointer": "/0/a~1b", "detail": "a name is given twice in one object"}]


async def test_the_limit_is_counted_in_bytes_as_they_arrive(stand_in: StandIn) -> None:
    app = make_app(stand_in, body_bytes=10)
    taken = 0

    async def body(size: int) -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(size):
            taken += 1
            yield b"1"

    async with app.router.lifespan_context(app), open_client(app) as client:
        assert (await client.put(PATH, content=body(10), headers=JSON)).status_code == 201
        taken = 0
        answer = await client.put(PATH, content=body(1_000), headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert taken == 11


async def test_a_body_announced_too_large_is_not_read_at_all(stand_in: StandIn) -> None:
    app = make_app(stand_in, body_bytes=10)

    async def body() -> AsyncIterator[bytes]:
        pytest.fail("nobody should read this")
        yield b""

    async with app.router.lifespan_context(app), open_client(app) as client:
        answer = await client.put(PATH, content=body(), headers={**JSON, "Content-Length": "11"})
    assert answer.status_code == 413


@pytest.mark.parametrize("failure", [DatabaseBusyError("busy", retry_after_seconds=1.2), WriteOutcomeUnknownError("?")])
async def test_what_may_pass_is_503_and_says_when_to_come_back(
    client: httpx.AsyncClient, stand_in: StandIn, failure: Exception
) -> None:
    stand_in.failure = failure
    answer = await client.put(PATH, json=1)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
