"""A world for each race: real servers, replicas and a relay in this process, and nothing that moves by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from tests.support.world import LONG_SECONDS, World


@pytest_asyncio.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """A relay leads and has granted once; its heartbeat outlives the test."""
    async with AsyncExitStack() as stack:
        world = World(stack, database_url, redis_url, bound_seconds=LONG_SECONDS)
        await world.lead()
        await world.relay.carry()
        yield world


@pytest_asyncio.fixture
async def quick_world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The same with a bound of half a second: for the races in which a heartbeat is waited out."""
    async with AsyncExitStack() as stack:
        world = World(stack, database_url, redis_url, bound_seconds=0.5)
        await world.lead()
        await world.relay.carry()
        yield world
