"""Misses that are carried by callbacks: the same steps, the same answers, and those that fail leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest

from service.cache.entry import Answer, Detail, Glance, Outcome
from service.cache.keys import cache_key
from service.cache.store import Change
from service.domain.row import VersionedRow
from service.errors import DatabaseUnavailableError, OverloadedError
from tests.support.glancing import carried, in_a_coroutine
from tests.support.memory_engine import GENERATION, Replica, World
from tests.support.polling import turns
from tests.support.waiting import eventually

NAME = "country:JP"

Found = list[Answer | Glance | BaseException]


def begun(world: World, replica: Replica) -> Found:
    """What the read will be told."""
    found: Found = []
    replica.engine.glance(NAME, world.policy, found.append)
    return found


async def told(world: World, replica: Replica) -> Found:
    found = begun(world, replica)
    return await eventually(lambda: found)


def nothing(_: World, __: Replica) -> None:
    pass


def its_lease_is_lost(world: World, _: Replica) -> None:
    world.rows.during_load = lambda: world.server.unlink(cache_key(NAME))


def a_newer_version_is_told(world: World, _: Replica) -> None:
    world.rows.during_load = lambda: world.server.apply(Change(NAME, 9, GENERATION))


def it_is_leased(world: World, _: Replica) -> None:
    world.server.set(cache_key(NAME), b"L1 of-somebody-else 0\n")


def an_entry_comes_before_the_lease(world: World, replica: Replica) -> None:
    def comes(call: str) -> None:
        if call == "lease":
            world.cache(NAME, 1, b"1")

    replica.store.before = comes


def the_heartbeat_ends_before_the_lease(world: World, replica: Replica) -> None:
    def ends(call: str) -> None:
        if call == "lease":
            world.server.unlink("aside:hb")

    replica.store.before = ends


def lost(*calls: str) -> Callable[[World, Replica], None]:
    def take(world: World, replica: Replica) -> None:
        replica.store.lost = set(calls)
        world.rows.covered = True

    take.__name__ = "lost: " + " and ".join(calls)
    return take


def the_breaker_is_open(world: World, replica: Replica) -> None:
    replica.store.available = False
    world.rows.covered = True


def the_breaker_is_open_and_nothing_is_certain(_: World, replica: Replica) -> None:
    replica.store.available = False


def postgresql_is_away(world: World, _: Replica) -> None:
    world.rows.reachable = False


HAPPENINGS = [
    nothing, its_lease_is_lost, a_newer_version_is_told, it_is_leased, an_entry_comes_before_the_lease,
    the_heartbeat_ends_before_the_lease, lost("lease"), lost("fill"), lost("fill", "apply"), lost("read"),
    the_breaker_is_open, the_breaker_is_open_and_nothing_is_certain, postgresql_is_away,
]  # fmt: skip


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("happening", HAPPENINGS)
async def test_whatever_happens_answer_cache_and_records_are_those_of_a_coroutine(happening, exists):
    ends = []
    for get in (in_a_coroutine, carried):
        world = World()
        if exists:
            world.rows.commit(NAME, b"1")
        replica = world.replica()
        happening(world, replica)
        try:
            answer = (await get(replica.engine, NAME, world.policy))._replace(cache_ms=0, load_ms=0)
        except DatabaseUnavailableError as error:
            answer = type(error)
        await turns()
        events = [event for event in replica.recording.events if event[0] != "lease_wait"]
        entry = world.cached(NAME)
        ends.append((answer, entry and entry._replace(cost_ms=0), events, world.rows.loads, world.rows.coverage_loads))
    assert ends[0] == ends[1]


async def test_a_miss_is_answered_without_a_task_of_its_own():
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica()
    [answer] = await told(world, replica)
    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.stored, answer.body) == (Outcome.MISS, True, b"1")
    assert answer.load_ms > 0
    assert answer.cache_ms > 0


async def test_without_redis_it_is_answered_without_a_task_where_nothing_older_can_be_cached():
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica()
    the_breaker_is_open(world, replica)
    [answer] = await told(world, replica)
    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.detail) == (Outcome.OFF, Detail.CACHE_UNREACHABLE)


@pytest.mark.parametrize("is_away", [False, True])
async def test_who_is_refused_because_too_many_load_is_told_and_its_lease_is_given_back(is_away):
    world = World()
    replica = world.replica()
    replica.store.available = not is_away

    def refuse(*_, **__):
        raise OverloadedError("PostgreSQL would answer too late", work="miss")

    ask, world.rows.ask = world.rows.ask, refuse
    [error] = await told(world, replica)
    assert isinstance(error, OverloadedError)
    await turns()
    assert world.server.get(cache_key(NAME)) is None
    world.rows.ask, replica.store.available = ask, True
    assert (await carried(replica.engine, NAME, world.policy)).outcome is Outcome.MISS


@pytest.mark.parametrize("step", ["ask_lease", "ask_fill"])
@pytest.mark.parametrize("error", [RuntimeError("a batch came back with too few"), asyncio.CancelledError(), None])
async def test_what_nobody_thought_of_is_told_and_the_next_reader_may_lead(step, error):
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica()
    kept = getattr(replica.store, step)
    setattr(replica.store, step, lambda *asked: asyncio.get_running_loop().call_soon(asked[-1], None, error))
    [end] = await told(world, replica)
    assert end is error or (error is None and isinstance(end, RuntimeError))
    setattr(replica.store, step, kept)
    world.server.unlink(cache_key(NAME))
    assert (await carried(replica.engine, NAME, world.policy)).outcome is Outcome.MISS


async def test_a_row_that_cannot_be_encoded_is_told_and_the_next_reader_may_lead():
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica()
    kept, world.rows._rows[NAME] = world.rows._rows[NAME], VersionedRow(None, b"1")
    [end] = await told(world, replica)
    assert isinstance(end, TypeError)
    world.rows._rows[NAME] = kept
    world.server.unlink(cache_key(NAME))
    assert (await carried(replica.engine, NAME, world.policy)).outcome is Outcome.MISS


@pytest.mark.parametrize("step", ["lease", "fill"])
async def test_a_redis_that_is_slow_in_the_middle_costs_no_more_than_the_budget(step):
    world = World()
    world.rows.commit(NAME, b"1")
    world.rows.covered = True
    replica = world.replica(budget_seconds=0.01, bound_seconds=60)

    def hangs_from_now_on(call: str) -> None:
        if call == {"lease": "read", "fill": "lease"}[step]:
            replica.store.hold = asyncio.Event()

    replica.store.before = hangs_from_now_on
    answer = await carried(replica.engine, NAME, world.policy)
    assert answer.body == b"1"
    assert answer.outcome is {"lease": Outcome.OFF, "fill": Outcome.MISS}[step]


async def test_a_lease_that_comes_after_its_time_is_nobodys():
    world = World()
    world.rows.commit(NAME, b"1")
    world.rows.covered = True
    replica = world.replica(budget_seconds=0.01)
    later = []
    replica.store.ask_lease = lambda *asked: later.append(asked[-1])
    found = begun(world, replica)
    [rest] = await eventually(lambda: found)
    assert isinstance(rest, Glance)
    assert rest.rest is not None
    assert (await rest.rest).outcome is Outcome.OFF
    loads = world.rows.loads
    for then in later:
        then(None, None)
    await turns()
    assert (len(found), world.rows.loads) == (1, loads)


async def test_readers_that_come_meanwhile_wait_for_the_one_that_is_carried():
    world = World()
    world.rows.commit(NAME, b"1")
    replica = world.replica(lease_wait_seconds=30.0)
    ways = itertools.cycle((carried, in_a_coroutine))
    answers = await asyncio.gather(*[next(ways)(replica.engine, NAME, world.policy) for _ in range(100)])
    assert {answer.body for answer in answers} == {b"1"}
    assert world.rows.loads == 1
