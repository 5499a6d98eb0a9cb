"""Every error is a problem, and the table from errors to problems has no hole."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service import errors
from service.api.problem_kinds import BY_ERROR, kind_of_error
from service.errors import AsideError, PreconditionFailedError
from tests.unit.api.conftest import open_client
from tests.unit.api.stand_in import StandIn

PATH = "/v1/entities/country/JP"
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AsideError)]


def test_every_error_of_the_tree_has_its_own_place_in_the_table() -> None:
    assert set(BY_ERROR) == set(TREE)


def test_an_error_of_somebody_elses_is_taken_for_the_nearest_that_is_known() -> None:
    class LocalError(PreconditionFailedError):
        pass

    assert kind_of_error(LocalError("", current_version=None)) is BY_ERROR[PreconditionFailedError]


def test_no_two_kinds_of_problem_share_a_type() -> None:
    types = [kind.type for kind in BY_ERROR.values()]
    assert len(set(types)) == len(types)


@pytest.mark.parametrize("kind", TREE)
async def test_every_error_becomes_the_problem_that_the_table_names(
    client: httpx.AsyncClient, stand_in: StandIn, kind: type[AsideError]
) -> None:
    known = kind is PreconditionFailedError
    stand_in.failure = PreconditionFailedError("why", current_version=None) if known else kind("why")
    answer = await client.get(PATH, headers={"X-Request-Id": "abc"})
    problem = answer.json()
    expected = BY_ERROR[kind]
    assert answer.status_code == problem["status"] == expected.status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert (problem["type"], problem["title"], problem["detail"]) == (expected.type, expected.title, "why")
    assert (problem["instance"], problem["request_id"]) == (PATH, "abc")
    assert set(problem) == MEMBERS
    assert ("retry-after" in answer.headers) is (expected.status == 503)


async def test_an_error_that_nobody_thought_of_shows_nothing_of_itself(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.failure = ZeroDivisionError("a secret")
    answer = await client.get(PATH, headers={"X-Request-Id": "abc"})
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal-error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "abc"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v2/nothing?secret=1")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-path")
    assert answer.json()["instance"] == "/v2/nothing"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", PATH, "DELETE, GET, HEAD, PATCH, PUT"),
        ("OPTIONS", PATH, "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "/livez", "GET"),
    ],
)
async def test_a_wrong_method_is_told_all_the_right_ones(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/entities/Country/JP", "entity_type"),
        ("/v1/entities/1country/JP", "entity_type"),
        ("/v1/entities//JP", "entity_type"),
        ("/v1/entities/a:b/JP", "entity_type"),
        (f"/v1/entities/{'a' * 64}/JP", "entity_type"),
        ("/v1/entities/country/", "id"),
        ("/v1/entities/country/JP/", "id"),
        ("/v1/entities/country/a%2Fb", "id"),
        ("/v1/entities/country/JP%0A", "id"),
        ("/v1/entities/country/%0AJP", "id"),
        ("/v1/entities/country/J%00P", "id"),
        ("/v1/entities/country/%20", "id"),
        ("/v1/entities/country/..%2F..", "id"),
        ("/v1/entities/country/%E6%97%A5", "id"),
        ("/v1/entities/country/%FF", "id"),
        ("/v1/entities/country/-JP", "id"),
        (f"/v1/entities/country/{'a' * 256}", "id"),
        (f"/v1/entities/country/{'a' * 8000}", "id"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_name_that_is_none_is_told_so(
    client: httpx.AsyncClient, stand_in: StandIn, method: str, path: str, parameter: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert [fault["parameter"] for fault in answer.json()["errors"]] == [parameter]
    assert stand_in.wishes == []


@pytest.mark.parametrize("entity_id", ["JP", "a:b@c.d~e-f_g", "0", "a" * 255, "J%50", "a%3Ab"])
async def test_a_good_name_is_found_however_it_is_encoded(
    client: httpx.AsyncClient, stand_in: StandIn, entity_id: str
) -> None:
    decoded = entity_id.replace("%50", "P").replace("%3A", ":")
    stand_in.holds("country", decoded, 1)
    assert (await client.get(f"/v1/entities/country/{entity_id}")).status_code == 200


async def test_a_client_that_goes_away_in_mid_body_is_no_error_of_ours(app: FastAPI, stand_in: StandIn) -> None:
    sent: list[MutableMapping[str, Any]] = []
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async with app.router.lifespan_context(app), open_client(app):
        scope = {
            "type": "http",
            "method": "PUT",
            "path": PATH,
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
        }
        await app(scope, receive, send)
    assert sent[0]["status"] == 499
    assert stand_in.rows == {}
