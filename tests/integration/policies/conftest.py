"""A client of a real replica, which the tests of a module share; every answer is held against the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import httpx
import pytest

from tests.support.openapi_truth import OpenApiTruth
from tests.support.service_process import ServiceProcess

_numbers = count()


@pytest.fixture
async def client(shared_replica: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shared_replica.url) as client:
        document = (await client.get("/openapi.json")).json()
        client.event_hooks = {"response": [OpenApiTruth(document)]}
        yield client


@pytest.fixture
async def database(module_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody's session in the replica's database."""
    connection = await asyncpg.connect(module_database_url)
    yield connection
    await connection.close()


@pytest.fixture
def entity_type() -> str:
    """That no other test knows."""
    return f"type{next(_numbers)}"


@pytest.fixture
def path(entity_type: str) -> str:
    return f"/v1/cache/policies/{entity_type}"
