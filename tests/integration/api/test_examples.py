"""Every example of the OpenAPI document, sent as the page at /docs sends it if nothing is changed, in the page's order.

In the browser itself only some are pressed (`tests/browser/test_docs.py`): that takes it seconds for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import httpx
import pytest

from tests.browser.pressed import PRESSED_WELL
from tests.conftest import Replicas
from tests.integration.api.conftest import until_ready
from tests.support.keys import EVERYTHING, bearer, make_key


def examples_of(thing: Mapping[str, Any]) -> list[Any]:
    """Those that are named, the one that the page fills in first; or the only one; nothing where there is none."""
    named = [example["value"] for example in thing.get("examples", {}).values()]
    return named or ([thing["example"]] if "example" in thing else [])


def bodies_of(operation: Mapping[str, Any]) -> dict[str, Any]:
    """The examples of an operation's first media type, by name."""
    contents = [*operation.get("requestBody", {}).get("content", {}).values()]
    return {name: example["value"] for name, example in (contents[0] if contents else {}).get("examples", {}).items()}


async def press(
    client: httpx.AsyncClient, path: str, method: str, operation: Mapping[str, Any], *, body: Any = None, **names: str
) -> httpx.Response:
    """Send what the page would. ``body`` and ``names`` are others than it fills in."""
    query: dict[str, Any] = {}
    for parameter in operation.get("parameters", []):
        for value in examples_of(parameter)[:1]:
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", names.get(parameter["name"], str(value)))
            elif parameter["in"] == "query":
                query[parameter["name"]] = value
    request: dict[str, Any] = {"params": query}
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        sent = examples_of(content)[0] if body is None else body
        request |= {"json": sent, "headers": {"Content-Type": media_type}}
        break
    async with client.stream(method, path, **request) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):  # that one has no end
            await answer.aread()
        return answer


async def operations_of(client: httpx.AsyncClient) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Path, method and operation, by operation id; once it is ready, with all that the examples are of."""
    await until_ready(client)
    paths = (await client.get("/openapi.json")).json()["paths"]
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


async def test_who_is_ready_has_what_the_examples_are_of(replicas: Replicas, sql: asyncpg.Connection):
    async with sql.transaction():
        await sql.execute("LOCK TABLE entity IN EXCLUSIVE MODE")  # whoever adds anything waits
        [replica] = replicas(1, ASIDE_MIGRATE_ON_START="true", ASIDE_EXAMPLE_ENTITY="true")
        async with httpx.AsyncClient(base_url=replica.url) as client:
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["components"]["schema"] == "ok, and the examples are being added"
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        assert (await client.get("/v1/parameters/app:config:max_users")).status_code == 200


async def test_every_example_works_as_it_stands(replicas: Replicas):
    [replica] = replicas(1, ASIDE_MIGRATE_ON_START="true", ASIDE_EXAMPLE_ENTITY="true")
    async with httpx.AsyncClient(base_url=replica.url) as client:
        operations = {
            f"operations-{operation['tags'][0]}-{name}": (path, method, operation)
            for name, (path, method, operation) in (await operations_of(client)).items()
        }
        assert set(operations) == set(PRESSED_WELL)
        answered = {each: str((await press(client, *operations[each])).status_code) for each in PRESSED_WELL}
    assert answered == PRESSED_WELL


@pytest.fixture
def api_key(database_url: str) -> str:
    return make_key(database_url, "operator", *EVERYTHING).text


@pytest.fixture
async def guarded(replicas: Replicas, api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key, of a service that asks for one."""
    [replica] = replicas(ASIDE_MIGRATE_ON_START="true", ASIDE_EXAMPLE_ENTITY="true", ASIDE_ACCESS__REQUIRED="true")
    async with httpx.AsyncClient(base_url=replica.url, headers=bearer(api_key)) as client:
        yield client


async def test_the_examples_of_keys_work_where_keys_are_asked_for(guarded: httpx.AsyncClient):
    operations = await operations_of(guarded)
    made = await press(guarded, *operations["createKey"])
    assert (await press(guarded, *operations["listKeys"])).status_code == 200
    told = {
        name: (await press(guarded, *operations[name], id=made.json()["id"])).status_code
        for name in ("readKey", "rotateKey", "revokeKey")
    }
    assert (made.status_code, told) == (201, {"readKey": 200, "rotateKey": 201, "revokeKey": 204})


async def test_every_further_example_works_too(guarded: httpx.AsyncClient):
    operations = await operations_of(guarded)
    parameter = "/v1/parameters/app:config:max_users"
    answered: dict[str, int] = {}
    for name, (path, method, operation) in operations.items():
        for example, body in [*bodies_of(operation).items()][1:]:
            # A parameter keeps its type: an example of another one is for a parameter that is not there yet.
            if path.startswith("/v1/parameters/{key}"):
                await guarded.delete(parameter)
            if name == "putParameterValue":
                await guarded.put(parameter, json=bodies_of(operations["putParameter"][2])[example])
            if name == "batchWriteEntities":
                await press(guarded, path, method, operation)
            answer = await press(guarded, path, method, operation, body=body)
            answered[f"{name}: {example}"] = answer.status_code
    assert set(answered.values()) <= {200, 201, 202}, answered
    assert {name.partition(":")[0] for name in answered} == {
        "putEntity", "patchEntity", "batchWriteEntities", "putParameter", "putParameterValue", "putPolicy",
        "warmCache", "purgeCache",
    }  # fmt: skip
