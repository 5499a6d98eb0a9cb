"""A write's side: the lease before the transaction, the settling after the commit."""

from __future__ import annotations

import time

import pytest

from service.cache.engine import Intent
from service.cache.entry import Settled
from service.cache.keys import cache_key
from service.cache.policy import Policy, Strategy
from service.cache.store import Change
from tests.support.memory_engine import GENERATION, Replica, World
from tests.support.polling import turns

NAME = "country:JP"
ASIDE = Policy(jitter=0.0)
THROUGH = Policy(jitter=0.0, strategy=Strategy.WRITE_THROUGH)


async def write(
    world: World, replica: Replica, policy: Policy, body: bytes | None = b"2", *, wait: bool = True
) -> Settled:
    intent = await replica.engine.intend(NAME, policy)
    row = world.rows.commit(NAME, body)
    return await replica.engine.settle(
        NAME, policy, row, intent, since=time.monotonic(), cost_ms=3, wait=wait
    )  # fmt: skip


def learned(world: World) -> Replica:
    """A replica that has seen a heartbeat."""
    replica = world.replica()
    replica.store.know(GENERATION)
    return replica


async def test_cache_aside_drops_what_is_older_and_takes_no_lease():
    world = World()
    world.cache(NAME, 0, b"1")
    replica = learned(world)
    assert await write(world, replica, ASIDE) is Settled.APPLIED
    assert world.server.get(cache_key(NAME)) is None
    assert replica.store.calls == ["apply"]


async def test_cache_aside_keeps_what_is_newer_already():
    world = World()
    world.cache(NAME, 7, b"7")
    assert await write(world, learned(world), ASIDE) is Settled.APPLIED
    held = world.cached(NAME)
    assert held is not None
    assert held.version == 7


async def test_write_through_onto_nothing_installs_under_the_lease_it_took_before_its_commit():
    world = World()
    replica = learned(world)
    assert await write(world, replica, THROUGH) is Settled.APPLIED
    assert replica.store.calls == ["lease", "fill"]
    held = world.cached(NAME)
    assert held is not None
    assert (held.version, held.body) == (1, b"2")


async def test_write_through_replaces_what_is_older():
    world = World()
    world.cache(NAME, 0, b"1")
    replica = learned(world)
    assert await write(world, replica, THROUGH) is Settled.APPLIED
    assert replica.store.calls == ["lease", "apply"]
    held = world.cached(NAME)
    assert held is not None
    assert held.body == b"2"


async def test_a_deletion_through_leaves_the_knowledge_that_there_is_none():
    world = World()
    assert await write(world, learned(world), THROUGH, body=None) is Settled.APPLIED
    held = world.cached(NAME)
    assert held is not None
    assert held.body is None


async def test_a_late_write_through_does_not_install_onto_nothing():
    """Race R2b: its lease was evicted, a newer write came and went in between."""
    world = World()
    replica = learned(world)
    intent = await replica.engine.intend(NAME, THROUGH)
    row = world.rows.commit(NAME, b"1")
    world.server.unlink(cache_key(NAME))
    await replica.engine.settle(NAME, THROUGH, row, intent, since=time.monotonic(), cost_ms=3, wait=True)
    assert world.server.get(cache_key(NAME)) is None


async def test_a_write_through_below_the_floor_installs_nothing():
    """Race R2: a newer write told the cache first."""
    world = World()
    replica = learned(world)
    intent = await replica.engine.intend(NAME, THROUGH)
    row = world.rows.commit(NAME, b"1")
    world.server.apply(Change(NAME, 2, GENERATION))
    await replica.engine.settle(NAME, THROUGH, row, intent, since=time.monotonic(), cost_ms=3, wait=True)
    assert world.cached(NAME) is None


async def test_a_write_that_knows_no_generation_drops_whatever_is_there():
    world = World()
    world.cache(NAME, 0, b"1")
    replica = world.replica()
    assert await write(world, replica, ASIDE) is Settled.APPLIED
    assert world.server.get(cache_key(NAME)) is None


async def test_a_write_that_cannot_reach_redis_waits_and_says_so():
    world = World()
    replica = learned(world)
    replica.store.reachable = False
    since = time.monotonic()
    assert await write(world, replica, ASIDE) is Settled.DEFERRED
    assert time.monotonic() - since >= 0.02


async def test_a_write_that_does_not_want_to_wait_makes_one_attempt():
    world = World()
    replica = learned(world)
    replica.store.reachable = False
    assert await write(world, replica, ASIDE, wait=False) is Settled.DEFERRED
    assert (replica.store.calls, world.rows.coverages) == (["apply"], 0)


async def test_an_old_outage_costs_a_write_no_wait():
    world = World()
    replica = world.replica(bound_seconds=60)
    replica.store.available = False
    world.rows.covered = True
    assert await write(world, replica, THROUGH) is Settled.DEFERRED
    assert replica.store.calls == []


async def test_a_lease_that_cannot_be_had_is_no_reason_not_to_write():
    world = World()
    replica = learned(world)
    replica.store.lost = {"lease"}
    assert await write(world, replica, THROUGH) is Settled.APPLIED
    assert world.server.get(cache_key(NAME)) is None


@pytest.mark.parametrize("policy", [ASIDE, THROUGH])
async def test_a_write_that_did_not_happen_leaves_no_lease_behind(policy: Policy):
    world = World()
    replica = learned(world)
    intent = await replica.engine.intend(NAME, policy)
    replica.engine.withdraw(NAME, intent)
    await turns()
    assert world.server.get(cache_key(NAME)) is None
    assert (intent == Intent(None, GENERATION)) is (policy is ASIDE)
