"""Whatever takes a body refuses one that is too large as it comes, whatever was announced, and one that is too deep."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.unit.api.conftest import make_app, open_client
from tests.unit.api.stand_in import StandIn

PLACES = {"entity_type": "country", "id": "JP", "key": "app:config:max_users", "namespace": "app:config"}
KEY_PLACES = {"id": "7xk2mq9dtw4v"}


def doors() -> list[tuple[str, str, str]]:
    """Method, path and media type of everything that takes a body, out of the document."""
    return [
        (method.upper(), located(path), media_type)
        for path, methods in make_app(StandIn()).openapi()["paths"].items()
        for method, operation in methods.items()
        for media_type in operation.get("requestBody", {}).get("content", {})
    ]


def located(template: str) -> str:
    places = KEY_PLACES if template.startswith("/v1/keys") else PLACES
    return re.sub(r"\{(\w+)\}", lambda place: places[place[1]], template)


DOORS = doors()


@pytest.fixture
async def client(stand_in: StandIn) -> AsyncIterator[httpx.AsyncClient]:
    stand_in.keys = object()  # its routes refuse a body before they ask anything of the keys
    app: FastAPI = make_app(stand_in, body_bytes=10_000, json_depth=8)
    async with app.router.lifespan_context(app), open_client(app) as client:
        yield client


async def in_pieces(body: bytes, size: int = 1_000) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def test_there_are_many_doors():
    some = {("PUT", "/v1/entities/country/JP"), ("POST", "/v1/parameters/batch-read"), ("POST", "/v1/keys")}
    assert some <= {door[:2] for door in DOORS}


@pytest.mark.parametrize(("method", "path", "media_type"), DOORS)
async def test_too_much_is_refused_as_it_comes_and_too_deep_before_it_is_read(
    client: httpx.AsyncClient, method: str, path: str, media_type: str
):
    headers = {"content-type": media_type}
    for announced in ({}, {"content-length": "20000"}, {"content-length": "12"}):
        body = in_pieces(b"[" + b" " * 19_998 + b"]")
        response = await client.request(method, path, content=body, headers=headers | announced)
        assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'{"ids":[', b"]}"), (b'{"keys":[', b"]}")):
        depth = 9_000 // len(opening + closing)
        body = opening * depth + b"1" + closing * depth
        response = await client.request(method, path, content=body, headers=headers)
        assert (response.status_code, response.json()["type"]) == (422, "/problems/unacceptable-document")
