"""Every example of the OpenAPI document, sent as the page at /docs sends it if nothing is changed, in the page's order.

In the browser itself only some are pressed (`tests/browser/test_docs.py`): that takes it seconds for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.browser.pressed import PRESSED_WELL
from tests.conftest import Replicas
from tests.integration.api.conftest import until_ready


def examples_of(thing: Mapping[str, Any]) -> list[Any]:
    """What the page fills in: the first of the named examples, or the only one; nothing where there is none."""
    named = [example["value"] for example in thing.get("examples", {}).values()]
    return named[:1] or ([thing["example"]] if "example" in thing else [])


async def press(client: httpx.AsyncClient, path: str, method: str, operation: Mapping[str, Any]) -> int:
    """Send what the page would, and return the status."""
    query: dict[str, Any] = {}
    for parameter in operation.get("parameters", []):
        for value in examples_of(parameter):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(value))
            elif parameter["in"] == "query":
                query[parameter["name"]] = value
    request: dict[str, Any] = {"params": query}
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        request |= {"json": examples_of(content)[0], "headers": {"Content-Type": media_type}}
        break
    async with client.stream(method, path, **request) as answer:  # the stream of changes has no end
        return answer.status_code


async def test_every_example_works_as_it_stands(replicas: Replicas):
    [replica] = replicas(1, ASIDE_MIGRATE_ON_START="true", ASIDE_EXAMPLE_ENTITY="true")
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        paths = (await client.get("/openapi.json")).json()["paths"]
        operations = {
            f"operations-{operation['tags'][0]}-{operation['operationId']}": (path, method, operation)
            for path, methods in paths.items()
            for method, operation in methods.items()
        }
        assert set(operations) == set(PRESSED_WELL)
        answered = {each: str(await press(client, *operations[each])) for each in PRESSED_WELL}
    assert answered == PRESSED_WELL
