"""The OpenAPI document is complete, and true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError

from service.api.batch_write_forms import BatchWriteForm
from service.api.steering_forms import PurgeForm, WarmForm
from tests.unit.api.stand_in import StandIn

PATH = "/v1/entities/{entity_type}/{id}"
TYPE_PATH = "/v1/entities/{entity_type}"
BATCH_PATH = "/v1/entities/{entity_type}/batch-read"
EXAMPLE = "/v1/entities/country/JP"


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(node: object) -> Iterator[str]:
    match node:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for member in node.values():
                yield from references(member)
        case list():
            for member in node:
                yield from references(member)
        case _:
            pass


def test_it_is_an_openapi_3_1_document_with_all_paths(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    parameters = {path for path in document["paths"] if path.startswith("/v1/parameters")}
    assert set(document["paths"]) - parameters == {
        PATH, TYPE_PATH, BATCH_PATH, "/v1/batch-write", "/v1/changes", "/v1/changes/stream",
        "/v1/cache/stats", "/v1/cache/history", "/v1/cache/policies",
        "/v1/cache/policies/{entity_type}", "/v1/cache/policies/{entity_type}/versions", "/v1/cache/hot",
        "/v1/keys", "/v1/keys/{id}", "/v1/keys/{id}/rotate",
        "/v1/cache/warm", "/v1/cache/purge", "/v1/cache/jobs", "/v1/cache/jobs/{id}",
        "/v1/cache/entries/{entity_type}/{id}", "/livez", "/readyz", "/metrics",
    }  # fmt: skip
    assert {path.removeprefix("/v1/parameters") for path in parameters} == {
        "", "/batch-read", "/{key}", "/{key}/value", "/{key}/versions", "/{key}/rollback", "/{key}/diff",
    }  # fmt: skip
    assert set(document["paths"][PATH]) == {"get", "head", "put", "patch", "delete"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_problem_is_described_as_one(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and method != "head" and path.startswith("/v1/"):
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (method, status)


def test_every_answer_may_carry_the_requests_id(document: dict[str, Any]) -> None:
    for _, method, operation in operations(document):
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], (method, status)


def test_no_header_has_an_example_that_a_page_would_send_unasked(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "path" and not parameter.get("required"):
                assert {"example", "examples"}.isdisjoint({*parameter, *parameter["schema"]})
                assert "default" not in parameter["schema"]


def test_the_limits_are_told(document: dict[str, Any]) -> None:
    [ttl] = [p for p in document["paths"][PATH]["put"]["parameters"] if p["name"] == "ttl_seconds"]
    assert ttl["schema"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 2_592_000.0}


async def test_trying_it_out_works_with_what_the_page_prefills(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    document = (await client.get("/openapi.json")).json()
    stand_in.holds("country", "JP", {"name": "Japan"})
    for method, operation in document["paths"][PATH].items():
        path: str = PATH
        body: object = None
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                [example] = parameter["examples"].values()
                path = path.replace(f"{{{parameter['name']}}}", example["value"])
        headers: dict[str, str] = {}
        if "requestBody" in operation:
            media_type, content = next(iter(operation["requestBody"]["content"].items()))
            body = next(iter(content["examples"].values()))["value"]
            headers["Content-Type"] = media_type
        assert path == EXAMPLE
        answer = await client.request(method, path, json=body, headers=headers)
        assert answer.is_success, (method, answer.text)


async def test_every_header_that_is_sent_is_documented(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    document = (await client.get("/openapi.json")).json()
    always = {"content-length", "content-type"}
    stand_in.holds("country", "JP", {})
    async_ = {"Prefer": "respond-async"}
    calls: list[tuple[str, dict[str, str], Any]] = [
        ("get", {}, None),
        ("get", {"If-None-Match": "*"}, None),
        ("get", {"If-Match": '"1"'}, None),
        ("get", {"If-Match": "x"}, None),
        ("head", {}, None),
        ("put", async_, {}),
        ("patch", async_, {}),
        ("put", {"If-Match": '"1"'}, {}),
        ("put", {"Content-Type": "text/plain"}, {}),
        ("patch", {"Content-Type": "text/plain"}, {}),
        ("patch", {"Content-Encoding": "gzip"}, {}),
        ("delete", async_, None),
        ("get", {}, None),
        ("put", async_, {}),
    ]
    for method, headers, body in calls:
        answer = await client.request(method, EXAMPLE, headers=headers, json=body)
        response = document["paths"][PATH][method]["responses"][str(answer.status_code)]
        documented = {name.lower() for name in response["headers"]}
        assert set(answer.headers) - always <= documented, (method, answer.status_code)


def test_every_link_leads_to_an_operation_and_gives_it_all_that_its_path_names(document: dict[str, Any]) -> None:
    known = {operation["operationId"]: (path, operation) for path, _, operation in operations(document)}
    links = [
        (operation, response, link)
        for _, _, operation in operations(document)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert {operation["operationId"] for operation, _, _ in links} == {
        "putEntity", "patchEntity", "putParameter", "putParameterValue", "rollBackParameter", "putPolicy",
        "warmCache", "purgeCache", "createKey", "rotateKey",
    }  # fmt: skip
    for operation, response, link in links:
        path, target = known[link["operationId"]]
        assert set(re.findall(r"{(\w+)}", path)) <= set(link["parameters"])
        assert set(link["parameters"]) <= {parameter["name"] for parameter in target["parameters"]}
        own = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        for expression in (*link["parameters"].values(), *link.get("requestBody", {}).values()):
            origin, _, name = expression.replace("#/", ".").rpartition(".")
            if origin == "$request.path":
                assert name in own
            else:
                schema = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert name in document["components"]["schemas"][schema]["properties"]


@pytest.mark.parametrize(
    ("path", "conditions", "good", "bad"),
    [
        (
            "/v1/cache/purge",
            PurgeForm,
            [{"all": True}, {"entity_type": "a"}, {"entity_type": "a", "ids": ["b"]},
             {"entity_type": "a", "prefix": "b"}],
            [{}, {"all": True, "entity_type": "a"}, {"ids": ["b"]}, {"entity_type": "a", "ids": ["b"], "prefix": "b"},
             {"all": True, "prefix": "b"}, {"entity_type": None}, {"all": True, "ids": ["b"]}],
        ),
        (
            "/v1/cache/warm",
            WarmForm,
            [{"hot": 5.0}, {"entity_types": []}, {"entity_type": "a", "ids": ["b"]},
             {"entity_types": ["a"], "prefix": "b", "hot": None}],
            [{}, {"hot": 5.5}, {"hot": 5, "entity_types": []}, {"entity_type": "a"}, {"ids": ["b"]},
             {"hot": 5, "prefix": "b"}, {"entity_type": "a", "ids": ["b"], "hot": 5}, {"entity_type": "a", "hot": 5}],
        ),
    ],
)  # fmt: skip
def test_a_body_is_taken_if_and_only_if_the_document_says_so(
    document: dict[str, Any], path: str, conditions: type[BaseModel], good: list[object], bad: list[object]
) -> None:
    [content] = document["paths"][path]["post"]["requestBody"]["content"].values()
    validator = jsonschema_rs.validator_for(content["schema"])
    for body in (*good, *bad):
        try:
            conditions.model_validate(body)
        except ValidationError:
            is_taken = False
        else:
            is_taken = True
        assert (is_taken, validator.is_valid(body)) == (body in good, body in good), body


@pytest.mark.parametrize(
    ("write", "is_taken"),
    [
        ({"op": "put", "body": 1, "if_none_match": "*"}, True),
        ({"op": "put", "body": 1, "if_none_match": "*", "if_match": None}, True),
        ({"op": "put", "body": 1, "if_none_match": None, "if_match": "*"}, True),
        ({"op": "put", "body": 1, "if_none_match": "*", "if_match": "*"}, False),
        ({"op": "patch", "body": 1, "if_none_match": None}, False),
        ({"op": "delete", "ttl_seconds": None}, False),
        ({"op": "delete"}, True),
        ({"op": "put"}, False),
    ],
)
def test_a_write_of_a_batch_is_taken_if_and_only_if_the_document_says_so(
    document: dict[str, Any], write: dict[str, Any], *, is_taken: bool
) -> None:
    body = {"writes": [{"entity_type": "a", "id": "b", **write}]}
    rule = {"$ref": "#/components/schemas/BatchWrites", "components": document["components"]}
    assert jsonschema_rs.validator_for(rule).is_valid(body) is is_taken
    if is_taken:
        BatchWriteForm.model_validate(body)
    else:
        with pytest.raises(ValidationError):
            BatchWriteForm.model_validate(body)
