"""A client of a real replica, which the tests of a module share: each uses an entity of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest

from tests.support.service_process import ServiceProcess

_numbers = count()


@pytest.fixture
async def client(shared_replica: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    """Of a replica whose cache is on."""
    async with httpx.AsyncClient(base_url=shared_replica.url) as client:
        await until_ready(client)
        yield client


@pytest.fixture
def path() -> str:
    """Of an entity that no other test knows."""
    return f"/v1/entities/country/X{next(_numbers)}"


async def until_ready(client: httpx.AsyncClient) -> None:
    """Return when /readyz says so, in full; the test's own timeout ends it otherwise."""
    while (await client.get("/readyz")).json()["status"] != "ready":
        pass
