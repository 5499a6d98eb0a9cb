"""Following what others change: when it loads, what it misses, and what it survives."""

from __future__ import annotations

import asyncio

import pytest

from service.errors import DatabaseUnavailableError
from service.services.following import Following
from tests.support.polling import turns
from tests.support.waiting import eventually


class Kept:
    """Something that others change; what is asked may fail, and a load may be held up."""

    def __init__(self) -> None:
        self.truth = 1
        self.copy = 0
        self.loads = 0
        self.failure: Exception | None = None
        self.may_load = asyncio.Event()
        self.may_load.set()

    async def mark(self) -> int:
        if self.failure is not None:
            raise self.failure
        return self.truth

    async def load(self) -> None:
        self.loads += 1
        seen = self.truth
        await self.may_load.wait()
        self.copy = seen


def following(kept: Kept, every_seconds: float = 0.001) -> Following:
    return Following("kept", kept.mark, kept.load, every_seconds=every_seconds)


async def test_it_loads_what_has_moved_and_nothing_else():
    kept = Kept()
    follower = following(kept)
    for _ in range(3):
        await follower.look()
    assert (kept.copy, kept.loads) == (1, 1)
    kept.truth = 2
    await follower.look()
    assert (kept.copy, kept.loads) == (2, 2)


async def test_a_look_knows_what_was_there_when_it_began_also_behind_an_older_load():
    """An older look has read 1 and is held up; 2 is committed; whoever looks then must not end up with 1."""
    kept = Kept()
    follower = following(kept)
    kept.may_load.clear()
    older = asyncio.create_task(follower.look())
    await turns()
    kept.truth = 2
    newer = asyncio.create_task(follower.look())
    await turns()
    kept.may_load.set()
    await asyncio.gather(older, newer)
    assert kept.copy == 2


async def test_a_load_that_fails_is_tried_again_although_the_mark_stands_still():
    kept = Kept()
    follower = following(kept)

    async def fail() -> None:
        raise DatabaseUnavailableError("away")

    follower._on_change = fail
    with pytest.raises(DatabaseUnavailableError):
        await follower.look()
    assert follower.age_seconds == float("inf")
    follower._on_change = kept.load
    await follower.look()
    assert kept.copy == 1


async def test_the_age_counts_from_the_beginning_of_the_last_look_that_succeeded():
    kept = Kept()
    follower = following(kept)
    assert follower.age_seconds == float("inf")
    kept.may_load.clear()
    look = asyncio.create_task(follower.look())
    await turns()
    began_at = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() == began_at:
        await turns()
    kept.may_load.set()
    await look
    assert follower.age_seconds > 0
    kept.failure = DatabaseUnavailableError("away")
    known = follower.known_at
    with pytest.raises(DatabaseUnavailableError):
        await follower.look()
    assert follower.known_at == known


@pytest.mark.parametrize(
    ("failure", "state"),
    [(DatabaseUnavailableError("away"), "waiting: away"), (RuntimeError("a defect"), "failed: RuntimeError")],
)
async def test_whatever_a_look_meets_it_goes_on(failure, state):
    kept = Kept()
    follower = following(kept)
    follower.start()
    try:
        await eventually(lambda: kept.copy == 1)
        kept.failure = failure
        await eventually(lambda: follower.state == state)
        kept.failure, kept.truth = None, 2
        await eventually(lambda: (kept.copy, follower.state) == (2, "ok"))
    finally:
        await follower.stop()
