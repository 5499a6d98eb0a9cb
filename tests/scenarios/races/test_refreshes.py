"""Races of an early refresh, which works behind its reader's back, with everybody else."""

from __future__ import annotations

from service.cache.entry import Outcome
from service.cache.policy import Policy, Strategy
from tests.support.replica import Replica
from tests.support.waiting import eventually
from tests.support.world import World

EAGER = Policy(early_refresh_beta=1e12)
EAGER_WRITE_THROUGH = Policy(early_refresh_beta=1e12, strategy=Strategy.WRITE_THROUGH)


async def _refreshing(world: World) -> Replica:
    """A replica with 1 in its cache, whose refresh of it has loaded 1, and stands before its apply."""
    replica = await world.replica(policy=EAGER)
    await replica.put(1)
    assert await replica.read() == 1
    replica.gates.loaded.hold()
    assert await replica.read() == 1
    await replica.gates.loaded.reached()
    return replica


async def test_r27_an_early_refresh_does_not_bring_back_what_was_deleted(world):
    """
    refresh:   loads 1 ────────────────────────────────── puts 1: absent, nothing
    writer B:             deletes ── drops 1 ── acked
    """
    a, b = await _refreshing(world), await world.replica()
    await b.delete()
    assert await world.cached() is None
    a.gates.loaded.release()
    await a.settle_down()
    assert await world.cached() is None
    assert await b.read() is None


async def test_r27_an_early_refresh_does_not_put_an_old_value_over_a_new_one(world):
    """
    refresh:   loads 1 ────────────────────────────────────── puts 1: older, kept out
    writer B:             commits 2 ── installs 2 ── acked
    """
    a, b = await _refreshing(world), await world.replica(policy=EAGER_WRITE_THROUGH)
    b.gates.claiming.hold()
    assert await b.read() == 1
    await b.put(2)
    a.gates.loaded.release()
    await a.settle_down()
    assert await b.read() == 2


async def test_r27_an_early_refresh_does_not_put_an_old_value_over_a_lease(world):
    """
    refresh:   loads 1 ────────────────────────────────────────────── puts 1: a lease, only its floor may rise
    writer B:             commits 2 ── drops 1 ── acked
    reader C:                                        lease ── loads 2 ─────────────────────── fills 2
    """
    a, b, c = await _refreshing(world), await world.replica(), await world.replica()
    await b.put(2)
    c.gates.loaded.hold()
    reader = c.begin_read()
    await c.gates.loaded.reached()
    a.gates.loaded.release()
    await a.settle_down()
    assert await b.read() == 2
    c.gates.loaded.release()
    assert await reader == 2
    assert (await b.get()).outcome is Outcome.HIT


async def test_r27_an_early_refresh_brings_what_is_new(world):
    """And in the meantime the reader has its answer."""
    a = await world.replica(policy=EAGER)
    await a.put(1)
    assert await a.read() == 1
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    assert await a.read() == 1

    async def refreshed() -> bool:
        return await a.read() == 2

    await eventually(refreshed)


async def test_r27_a_renewal_of_what_has_expired_does_not_bring_back_what_was_deleted(world):
    """
    Reader A:  finds 1 past its freshness ── loads 1 ─────────────────────────── puts 1: absent, nothing
    writer B:                                            deletes ── drops 1 ── acked
    """
    policy = Policy(ttl_seconds=0.001, stale_if_error_seconds=300, jitter=0)
    a, b = await world.replica(policy=policy), await world.replica()
    await a.put(1)
    assert await a.read() == 1
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    assert (await world.cached()).startswith("V1 ")
    await b.delete()
    a.gates.loaded.release()
    assert await reader == 1
    assert await world.cached() is None
    assert await b.read() is None
