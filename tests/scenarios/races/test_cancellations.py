"""Races with clients that go away in the middle, and what that leaves on a connection."""

from __future__ import annotations

import asyncio
import random

import pytest

from service.cache.entry import Outcome
from service.errors import UnavailableError
from tests.support.glancing import reads_both_ways
from tests.support.polling import turns
from tests.support.world import WRITE_THROUGH

pytestmark = reads_both_ways


async def test_r25_a_storm_of_cancelled_requests_hands_nobody_anothers_value(world):
    """Fifteen rounds of sixty reads and some writes, half of them cancelled at any moment, the rest checked."""
    a = await world.replica(lanes=1)
    rng = random.Random(25)
    numbers = range(30)
    for number in numbers:
        await a.put(number, f"id-{number}")
    for _ in range(15):
        wanted = [rng.choice(numbers) for _ in range(60)]
        tasks = [a.begin_read(f"id-{number}") for number in wanted]
        tasks += [a.begin_put(number, f"id-{number}") for number in rng.sample(numbers, 4)]
        await turns(rng.randrange(1, 12))
        gone = rng.sample(range(len(tasks)), len(tasks) // 2)
        for index in gone:
            tasks[index].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for number, answer in zip(wanted, answers, strict=False):
            assert answer == number or isinstance(answer, asyncio.CancelledError)
    await a.settle_down()
    assert [await a.read(f"id-{number}") for number in numbers] == list(numbers)


async def test_r25_a_connection_out_of_step_hands_nobody_anothers_value(world):
    """
    connection:  a reply comes twice; whoever asks next is given the one before
    reader:      asks for y, is given x's entry: it names its key, and y's reader does not take it
    """
    link = await world.proxy()
    a = await world.replica(redis_url=link.url, lanes=1)
    for number, entity_id in enumerate(("x", "y", "z")):
        await a.put(number, entity_id)
        assert await a.read(entity_id) == number
    link.repeat_reply()
    assert await a.read("x") == 0
    assert await a.read("y") == 1
    assert await a.read("z") == 2


async def test_r25_a_write_whose_client_is_gone_is_told_to_the_cache_all_the_same(world):
    """
    Writer B:  commits 2 ── its client goes away ── applies
    reader A:                                                must not hit 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    assert await a.read() == 1
    b.gates.committed.hold()
    writer = b.begin_put(2)
    await b.gates.committed.reached()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    b.gates.committed.release()
    await b.settle_down()
    assert await a.read() == 2


async def test_r25_a_reader_that_goes_away_while_it_loads_for_others_loads_on(world):
    """
    Reader 1:  lease ── loads ── goes away ........ fills
    reader 2:                               comes ─────── hits
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    a.gates.loaded.release()
    await a.settle_down()
    assert (await b.get()).outcome is Outcome.HIT
    assert await a.read() == 1


async def test_r25_a_reader_that_cannot_load_gives_its_lease_back(world):
    """The next one need not wait until it expires."""
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica()
    await world.sql("ALTER TABLE entity RENAME TO hidden")
    with pytest.raises(UnavailableError):
        await a.read()
    await a.settle_down()
    await world.sql("ALTER TABLE hidden RENAME TO entity")
    assert (await b.get()).outcome is Outcome.MISS
    assert (await b.get()).outcome is Outcome.NEGATIVE_HIT


async def test_r25_a_connection_whose_reply_came_too_late_is_not_used_again(world):
    """
    Reader A:    asks for x ── gives up ────────────────── asks for x again: must not get the late reply
    connection:                             1, late
    writer B:                  commits 2 ── acked
    """
    link = await world.proxy()
    a = await world.replica(redis_url=link.url, lanes=1, operation_timeout_seconds=0.1)
    b = await world.replica()
    await b.put(1)
    assert await a.read() == 1
    await world.relay.carry()
    link.hold_replies()
    assert await a.read() == 1
    await b.put(2)
    link.restore()
    await a.beat()
    assert a.store.available
    assert await a.read() == 2
