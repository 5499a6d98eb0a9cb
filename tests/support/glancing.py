"""A plain read as the hot reads make it: carried by callbacks, as far as these go, then by what they leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.cache.carried import Then
from service.cache.engine import Engine
from service.cache.entry import NO_WISH, Answer, Glance
from service.cache.policy import Policy
from service.domain.entity import EntityKey
from service.services.entities import Entities

Get = Callable[[Engine, str, Policy], Awaitable[Answer]]


async def get_by_glance(entities: Entities, key: EntityKey) -> Answer:
    """What `Entities.get` answers."""
    found = await _seen(lambda then: entities.glance(key.entity_type, key.id, then))
    return found if isinstance(found, Answer) else await entities.get(key, NO_WISH, found)


async def carried(engine: Engine, name: str, policy: Policy) -> Answer:
    """What `Engine.get` answers."""
    found = await _seen(lambda then: engine.glance(name, policy, then))
    return found if isinstance(found, Answer) else await engine.get(name, policy, NO_WISH, found)


async def in_a_coroutine(engine: Engine, name: str, policy: Policy) -> Answer:
    return await engine.get(name, policy)


both_ways = pytest.mark.parametrize("get", [carried, in_a_coroutine])
"""For tests of what a read does, however it is made."""

CARRIED = "carried"
reads_both_ways = pytest.mark.parametrize("reads", [CARRIED, "in a coroutine"], indirect=True)
"""The same for races, whose replicas read."""


async def _seen(glance: Callable[[Then], None]) -> Answer | Glance:
    looked: asyncio.Future[Answer | Glance | BaseException] = asyncio.get_running_loop().create_future()

    def then(found: Answer | Glance | BaseException) -> None:
        if not looked.done():  # its reader may have been cancelled
            looked.set_result(found)

    glance(then)
    found = await looked
    if isinstance(found, BaseException):
        raise found
    return found
