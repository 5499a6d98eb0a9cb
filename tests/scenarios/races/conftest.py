"""A world for each race: real servers, replicas and a relay in this process, and nothing that moves by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.glancing import CARRIED
from tests.support.replica import Replica
from tests.support.warmings import INSERT
from tests.support.world import World, open_world


@pytest.fixture
def reads(request: pytest.FixtureRequest) -> str:
    """How plain reads are made: see `tests.support.glancing.reads_both_ways`."""
    return str(getattr(request, "param", CARRIED))


@pytest_asyncio.fixture
async def world(database_url: str, redis_url: str, reads: str) -> AsyncIterator[World]:
    """The heartbeat outlives the test."""
    async with open_world(database_url, redis_url, is_carried=reads == CARRIED) as world:
        yield world


@pytest_asyncio.fixture
async def quick_world(database_url: str, redis_url: str, reads: str) -> AsyncIterator[World]:
    """A bound of half a second: for the races in which a heartbeat is waited out."""
    async with open_world(database_url, redis_url, bound_seconds=0.5, is_carried=reads == CARRIED) as world:
        yield world


@pytest_asyncio.fixture
async def warmer(world: World) -> Replica:
    """A replica whose warming will meet a row that nobody has read."""
    await world.sql(INSERT, "x")
    await world.relay.carry()
    return await world.replica()
