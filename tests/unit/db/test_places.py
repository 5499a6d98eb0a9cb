"""Places are given in order, to nobody who does not want one any more, and none is lost."""

from __future__ import annotations

import asyncio
import random

import pytest

from service.db.places import Places
from tests.support.polling import turns


async def test_who_comes_first_is_given_a_place_first_and_nobody_comes_in_between():
    places, order = Places(1), []

    async def take(name: str) -> None:
        await places.take(60)
        order.append(name)
        await turns(3)
        places.give_back()

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(take(name))
            await turns(1)
    assert order == list("abcd")


async def test_who_waits_too_long_is_told_and_takes_nobodys_place():
    places = Places(1)
    await places.take(60)
    with pytest.raises(TimeoutError):
        await places.take(0.001)
    behind = asyncio.create_task(places.take(60))
    await turns()
    places.give_back()
    await behind


async def test_a_place_that_comes_in_the_turn_in_which_its_taker_is_cancelled_goes_to_the_next():
    """
    giver:   gives back
    other:                cancels the first who waits
    first:                                             has been given the place, and must hand it on
    """
    places = Places(1)
    await places.take(60)
    first, second = asyncio.create_task(places.take(60)), asyncio.create_task(places.take(60))
    await turns()
    places.give_back()
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_after_a_storm_of_cancelled_takers_all_places_are_there():
    places, draw, taken = Places(3), random.Random(7), []

    async def take() -> None:
        await places.take(draw.choice([0.0005, 60]))
        taken.append(1)
        assert len(taken) <= 3
        try:
            await turns(draw.randrange(5))
        finally:
            taken.pop()
            places.give_back()

    tasks = []
    for _ in range(400):
        tasks.append(asyncio.create_task(take()))
        await turns(draw.randrange(3))
        if draw.random() < 0.5:
            draw.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10):
        for _ in range(3):
            await places.take(1)
