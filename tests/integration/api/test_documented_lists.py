"""Lists and batches in the OpenAPI document: what its page prefills works, and what is answered fits its schemas."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema_rs

LIST, BATCH = "/v1/entities/{entity_type}", "/v1/entities/{entity_type}/batch-read"


async def pressed(client: httpx.AsyncClient, document: dict[str, Any], path: str) -> httpx.Response:
    """What the page sends if nothing is changed."""
    [(method, operation)] = document["paths"][path].items()
    body: object = None
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            [example] = parameter["examples"].values()
            path = path.replace(f"{{{parameter['name']}}}", example["value"])
        else:
            assert not parameter.get("required")
    if "requestBody" in operation:
        [example] = operation["requestBody"]["content"]["application/json"]["examples"].values()
        body = example["value"]
    return await client.request(method, path, json=body)


def fits(document: dict[str, Any], schema: str, answer: object) -> bool:
    rule = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    return jsonschema_rs.validator_for(rule).is_valid(answer)


async def test_pressing_the_examples_reads_what_is_there_in_the_form_that_is_told(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for each in ("JP", "NZ"):
        await client.put(f"/v1/entities/country/{each}", json={"alpha_2": each})
    page, batch = await pressed(client, document, LIST), await pressed(client, document, BATCH)
    assert [each["id"] for each in page.json()["entities"]] == ["JP", "NZ"]
    assert [each["status"] for each in batch.json()["items"]] == [200, 200, 404]
    assert fits(document, "EntityPage", page.json())
    assert fits(document, "EntityResults", batch.json())
    assert not fits(document, "EntityPage", batch.json())
    assert not fits(document, "EntityResults", page.json())


async def test_the_answers_that_are_shown_have_the_form_that_is_told(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, schema in ((LIST, "EntityPage"), (BATCH, "EntityResults")):
        [operation] = document["paths"][path].values()
        content = operation["responses"]["200"]["content"]["application/json"]
        assert content["schema"] == {"$ref": f"#/components/schemas/{schema}"}
        assert fits(document, schema, content["example"])


async def test_refused_items_fit_the_schema_too(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    batch = await client.post("/v1/entities/country/batch-read", json={"ids": ["no name", "é", "XX"]})
    assert fits(document, "EntityResults", batch.json())
    form = {"ids": ["a"] * 1_001}
    assert not fits(document, "EntityIds", form)
    assert (await client.post("/v1/entities/country/batch-read", json=form)).status_code == 422
