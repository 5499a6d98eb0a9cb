"""What `batch-write` takes, and what it says of what was done."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from service.api.batch_write_forms import writes_of
from service.cache.entry import Settled
from service.domain.batch import Verb, Write
from service.domain.entity import EntityKey, WriteCondition
from service.errors import (
    BatchRefusedError,
    InvalidBodyError,
    NotFoundError,
    PreconditionFailedError,
    Refusal,
    ReservedTypeError,
    WriteOutcomeUnknownError,
)
from tests.unit.api.conftest import make_app, open_client
from tests.unit.api.stand_in import StandIn

PATH = "/v1/batch-write"
PUT = {"op": "put", "entity_type": "country", "id": "JP", "body": {"name": "Japan"}}
PATCH = {"op": "patch", "entity_type": "country", "id": "NZ", "body": {"name": None}}
DELETE = {"op": "delete", "entity_type": "country", "id": "XX"}


async def post(client: httpx.AsyncClient, *writes: object, **more: Any) -> httpx.Response:
    return await client.post(PATH, json={"writes": writes}, **more)


async def test_each_write_has_an_item_at_its_place_with_the_status_it_would_have_alone(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    old = stand_in.holds("country", "NZ", {"name": "New Zealand"})
    stand_in.holds("country", "XX", {})
    answer = await post(client, PUT, PATCH, DELETE)
    assert answer.status_code == 200
    assert answer.headers["aside-cache"] == "applied"
    assert answer.json()["items"] == [
        {"entity_type": "country", "id": "JP", "status": 201, "version": old + 2, "etag": f'"{old + 2}"',
         "cache": "applied"},
        {"entity_type": "country", "id": "NZ", "status": 200, "version": old + 3, "etag": f'"{old + 3}"',
         "cache": "applied"},
        {"entity_type": "country", "id": "XX", "status": 204, "version": old + 4, "cache": "applied"},
    ]  # fmt: skip


async def test_documents_conditions_and_lifetimes_reach_the_service_as_they_were_sent(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    body = (
        '{"writes": [ {"body" : [1.50, 1e2 , "}]"], "op":"put", "entity_type":"a", "id":"b", "ttl_seconds": 2.5,'
        ' "if_match":"W/\\"1\\", \\"7\\""},'
        ' {"op": "put", "entity_type": "a", "id": "c", "body": null, "if_none_match": "*"},'
        ' {"op": "delete", "entity_type": "a", "id": "d", "if_match": "*"} ] }'
    )
    await client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert stand_in.batches == [
        [
            Write(Verb.PUT, EntityKey("a", "b"), '[1.50, 1e2 , "}]"]', WriteCondition(frozenset({7})), 2.5),
            Write(Verb.PUT, EntityKey("a", "c"), "null", WriteCondition(must_be_absent=True)),
            Write(Verb.DELETE, EntityKey("a", "d"), None, WriteCondition(frozenset())),
        ]
    ]


async def test_one_deferred_write_makes_a_deferred_batch(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.settled = Settled.DEFERRED
    answer = await post(client, PUT, headers={"Prefer": "respond-async"})
    assert answer.headers["aside-cache"] == "deferred"
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.json()["items"][0]["cache"] == "deferred"
    assert stand_in.waits == [False]


async def test_a_dry_run_asks_what_would_be_and_writes_nothing(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    answer = await post(client, PUT, params={"dry_run": "true"})
    assert answer.json() == {"items": [{"entity_type": "country", "id": "JP", "status": 201}]}
    assert (stand_in.rows, stand_in.batches) == ({}, [])


@pytest.mark.parametrize(
    ("write", "pointer"),
    [
        ({**PUT, "op": "post"}, "/writes/1/op"),
        ({**PUT, "entity_type": "Country"}, "/writes/1/entity_type"),
        ({**PUT, "id": "a\n"}, "/writes/1/id"),
        ({**PUT, "id": 1}, "/writes/1/id"),
        ({**PUT, "ttl_seconds": 0}, "/writes/1/ttl_seconds"),
        ({**PUT, "ttl_seconds": "60"}, "/writes/1/ttl_seconds"),
        ({**PUT, "ttl_seconds": 1e12}, "/writes/1/ttl_seconds"),
        ({**PUT, "if_match": "7"}, "/writes/1/if_match"),
        ({**PUT, "if_none_match": '"7"'}, "/writes/1/if_none_match"),
        ({**PUT, "if_none_match": "*", "if_match": "*"}, "/writes/1"),
        ({**PATCH, "if_none_match": "*"}, "/writes/1"),
        ({**PUT, "etag": '"7"'}, "/writes/1/etag"),
        ({"op": "put", "entity_type": "a", "id": "b"}, "/writes/1"),
        ({**DELETE, "body": None}, "/writes/1"),
        ({**DELETE, "ttl_seconds": 1}, "/writes/1"),
        (DELETE, "/writes/1"),
        ("put", "/writes/1"),
    ],
)
def test_a_write_of_another_form_is_refused_by_place(write: object, pointer: str) -> None:
    assert pointers_of({"writes": [DELETE, write]}) == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [([], ""), ({}, "/writes"), ({"writes": {}}, "/writes"), ({"writes": []}, "/writes"),
     ({"writes": [{**PUT, "id": f"i{n}"} for n in range(501)]}, "/writes"),
     ({"writes": [PUT], "dry_run": True}, "/dry_run")],
)  # fmt: skip
def test_a_batch_of_another_form_is_refused(body: object, pointer: str) -> None:
    assert pointers_of(body)[0] == pointer


def pointers_of(body: object) -> list[str]:
    with pytest.raises(InvalidBodyError) as caught:
        writes_of(json.dumps(body).encode(), ttl_seconds_max=2_592_000)
    return [fault.pointer for fault in caught.value.faults]


async def test_a_batch_of_another_form_is_answered_with_422_and_every_place(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    answer = await post(client, {**PUT, "op": "post"}, {**PUT, "id": 1})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-body")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/writes/0/op", "/writes/1/id"]
    assert stand_in.batches == []


async def test_five_hundred_writes_are_taken(client: httpx.AsyncClient) -> None:
    answer = await post(client, *[{**PUT, "id": f"i{n}"} for n in range(500)])
    assert len(answer.json()["items"]) == 500


async def test_the_size_is_limited_for_the_whole_and_the_depth_for_each_document(stand_in: StandIn) -> None:
    app = make_app(stand_in, body_bytes=1_024, json_depth=16)
    async with app.router.lifespan_context(app), open_client(app) as client:

        async def status_of(body: str) -> int:
            content = '{"writes": [{"op": "put", "entity_type": "a", "id": "b", "body": %s}]}' % body  # noqa: UP031, braces
            answer = await client.post(PATH, content=content, headers={"Content-Type": "application/json"})
            return answer.status_code

        assert await status_of("[" * 16 + "]" * 16) == 200
        assert await status_of("[" * 17 + "]" * 17) == 422
        assert await status_of('"' + "x" * 900 + '"') == 200
        assert await status_of('"' + "x" * 1_000 + '"') == 413
        assert await status_of('{"a": 1, "a": 2}') == 400
        assert await status_of('"\\u0000"') == 422


@pytest.mark.parametrize(
    ("reasons", "status"),
    [
        ((PreconditionFailedError("no", current_version=8), PreconditionFailedError("no", current_version=None)), 412),
        ((NotFoundError("none"),), 404),
        ((NotFoundError("none"), PreconditionFailedError("no", current_version=8)), 409),
        ((ReservedTypeError("elsewhere"),), 409),
    ],
)
async def test_a_refused_batch_names_each_write_that_is_to_blame_and_has_their_status_where_they_agree(
    client: httpx.AsyncClient, stand_in: StandIn, reasons: tuple[Any, ...], status: int
) -> None:
    refusals = [Refusal(2 * place, error) for place, error in enumerate(reasons)]
    stand_in.failure = BatchRefusedError.because_of(refusals, of=9)
    answer = await post(client, PUT)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, "/problems/batch-refused")
    assert [fault["pointer"] for fault in problem["errors"]] == [f"/writes/{2 * n}" for n in range(len(reasons))]
    for fault, error in zip(problem["errors"], reasons, strict=True):
        assert fault["detail"] == str(error)
        assert (fault["status"], fault["type"]) == {
            NotFoundError: (404, "/problems/not-found"),
            PreconditionFailedError: (412, "/problems/precondition-failed"),
            ReservedTypeError: (405, "/problems/reserved-type"),
        }[type(error)]
        assert fault.get("etag") == ('"8"' if getattr(error, "current_version", None) else None)


async def test_an_unknown_outcome_is_the_batchs_own(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.failure = WriteOutcomeUnknownError("who knows")
    answer = await post(client, PUT)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/write-outcome-unknown")
    assert answer.headers["retry-after"] == "1"
