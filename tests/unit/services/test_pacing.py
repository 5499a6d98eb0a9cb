"""A pace: what fails is tried again for a while, and whoever waits is woken by the end."""

from __future__ import annotations

import asyncio

import pytest

from service.errors import DatabaseBusyError, SchemaMissingError
from service.services.pacing import Pace


def failing(times, error=DatabaseBusyError):
    """An attempt that fails so often, and then returns how often it was made."""
    made = 0

    async def attempt():
        nonlocal made
        made += 1
        if made <= times:
            raise error("not now")
        return made

    return attempt


async def test_what_is_unavailable_is_tried_again():
    pace = Pace(items_per_second=None, patience_seconds=60)
    assert await pace.patiently(failing(1)) == 2


async def test_without_patience_the_first_failure_is_the_last():
    pace = Pace(items_per_second=None, patience_seconds=0)
    with pytest.raises(DatabaseBusyError):
        await pace.patiently(failing(1))


async def test_what_does_not_mend_itself_is_not_waited_for():
    pace = Pace(items_per_second=None, patience_seconds=60)
    with pytest.raises(SchemaMissingError):
        await pace.patiently(failing(1, SchemaMissingError))


async def test_once_stopped_nothing_is_tried_again():
    pace = Pace(items_per_second=None, patience_seconds=60)
    pace.stop()
    with pytest.raises(DatabaseBusyError):
        await pace.patiently(failing(1))


async def test_who_waits_for_a_turn_is_woken_by_the_end():
    pace = Pace(items_per_second=0.001, patience_seconds=0)
    assert await pace.turn(10)
    waiting = asyncio.create_task(pace.turn(10))
    await asyncio.sleep(0)
    pace.stop()
    async with asyncio.timeout(10):
        assert not await waiting
