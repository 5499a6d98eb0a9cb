"""Many keys at once: one reading for all, one load for those that the cache does not know."""

from __future__ import annotations

import asyncio

from service.cache.entry import Answer, Outcome, Wish
from service.cache.policy import Policy
from service.errors import DatabaseUnavailableError, NotCachedError
from tests.support.memory_engine import World

POLICY = Policy(jitter=0.0)


async def test_each_name_gets_its_own_answer_in_order():
    world = World()
    world.rows.commit("t:b", b"2")
    world.cache("t:a", 1, b"1")
    world.cache("t:gone", 3, None)
    replica = world.replica()
    answers = await replica.engine.get_many(["t:b", "t:gone", "t:a", "t:none"], POLICY)
    assert [(a.outcome, a.body) for a in answers if isinstance(a, Answer)] == [
        (Outcome.MISS, b"2"), (Outcome.NEGATIVE_HIT, None), (Outcome.HIT, b"1"), (Outcome.MISS, None)
    ]  # fmt: skip
    assert replica.recording.count("read", "t") == 4


async def test_what_was_loaded_is_a_hit_the_next_time():
    world = World()
    names = [f"t:{n}" for n in range(50)]
    for name in names:
        world.rows.commit(name, name.encode())
    engine = world.replica().engine
    await engine.get_many(names, POLICY)
    answers = await engine.get_many(names, POLICY)
    assert {answer.outcome for answer in answers if isinstance(answer, Answer)} == {Outcome.HIT}
    assert [answer.body for answer in answers if isinstance(answer, Answer)] == [name.encode() for name in names]


async def test_hits_among_many_are_told_as_those_of_single_reads_are_and_misses_are_not():
    world, told = World(), list[str]()
    for name in ("t:a", "t:c", "t:d"):
        world.cache(name, 1, b"1")
    replica = world.replica()
    replica.engine._on_hit = lambda name: told.append(name) or 2
    await replica.engine.get_many(["t:a", "t:b", "t:c", "t:d"], POLICY)
    assert told == ["t:a", "t:d"]


async def test_no_names_are_no_answers():
    assert await World().replica().engine.get_many([], POLICY) == []


async def test_a_name_that_cannot_be_answered_has_its_error_in_its_place():
    world = World()
    world.cache("t:a", 1, b"1")
    only = Wish(only_if_cached=True)
    hit, error = await world.replica().engine.get_many(["t:a", "t:b"], POLICY, only)
    assert isinstance(hit, Answer)
    assert isinstance(error, NotCachedError)


async def test_with_the_database_gone_the_hits_are_still_answered():
    world = World()
    world.cache("t:a", 1, b"1")
    world.rows.reachable = False
    hit, error = await world.replica().engine.get_many(["t:a", "t:b"], POLICY)
    assert isinstance(hit, Answer)
    assert isinstance(error, DatabaseUnavailableError)


async def test_a_batch_and_a_single_read_of_one_name_share_a_load():
    world = World()
    world.rows.commit("t:a", b"1")
    engine = world.replica().engine
    single, [one] = await asyncio.gather(engine.get("t:a", POLICY), engine.get_many(["t:a"], POLICY))
    assert isinstance(one, Answer)
    assert single.body == one.body == b"1"
