"""A world with rows that nobody has read, and somebody in it who warms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.replica import Replica
from tests.support.world import World, open_world


@pytest_asyncio.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The heartbeat outlives the test."""
    async with open_world(database_url, redis_url) as world:
        yield world


@pytest.fixture
async def warmer(world: World) -> Replica:
    return await world.replica()
