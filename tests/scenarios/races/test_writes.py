"""Races between writers: of one key, in the table and in the cache."""

from __future__ import annotations

import pytest

from service.cache.entry import Outcome
from service.db.changes import NO_HORIZON
from service.domain.entity import WriteCondition
from service.errors import PreconditionFailedError
from tests.support.world import WRITE_THROUGH


async def test_r2_of_two_write_throughs_that_cross_the_newer_stays(world):
    """
    Writer A:  commits 2 ───────────────────────────────── installs 2: kept out
    writer B:              commits 3 ── installs 3 ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica(policy=WRITE_THROUGH)
    await a.put(1)
    assert await b.read() == 1
    a.gates.committed.hold()
    crossed = a.begin_put(2)
    await a.gates.committed.reached()
    written = await b.put(3)
    a.gates.committed.release()
    await crossed
    answer = await a.get()
    assert (answer.outcome, answer.version, answer.body) == (Outcome.HIT, written.row.version, b'{"n": 3}')


async def test_r2b_a_late_write_through_installs_nothing_where_nothing_is(world):
    """
    Writer A:  sees 1 in the cache ── commits 2 ───────────────────────────────────── installs 2: absent, nothing
    Redis:                                        evicts 1
    writer B:                                               commits 3 ── tells nobody ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica()
    await a.put(1)
    assert (await a.get()).outcome is Outcome.HIT
    a.gates.committed.hold()
    late = a.begin_put(2)
    await a.gates.committed.reached()
    await world.redis("DEL", "cache:thing:x")
    await b.put(3)
    a.gates.committed.release()
    await late
    assert await b.read() == 3
    assert await a.read() == 3


async def test_r2b_a_late_write_through_installs_nothing_over_a_lease(world):
    """
    Writer A:  commits 2 ───────────────────────────────────────── installs 2: only the lease's floor rises
    writer B:              commits 3 ── acked
    reader C:                                   lease ── loads 3 ──────────────────────────────── fills 3
    """
    a, b, c = await world.replica(policy=WRITE_THROUGH), await world.replica(), await world.replica()
    await a.put(1)
    a.gates.committed.hold()
    late = a.begin_put(2)
    await a.gates.committed.reached()
    await world.redis("DEL", "cache:thing:x")
    await b.put(3)
    c.gates.loaded.hold()
    reader = c.begin_read()
    await c.gates.loaded.reached()
    a.gates.committed.release()
    await late
    assert await b.read() == 3
    c.gates.loaded.release()
    assert await reader == 3
    assert (await b.get()).outcome is Outcome.HIT


async def test_r2b_a_write_through_fills_only_under_the_lease_that_it_took_before_its_commit(world):
    """
    Writer A:  lease a ── commits 1 ──────────────────────────────── fills 1 with a: refused
    Redis:                            evicts the lease
    writer B:                                            commits 2 ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica()
    a.gates.committed.hold()
    late = a.begin_put(1)
    await a.gates.committed.reached()
    assert (await world.cached()).startswith("L1 ")
    await world.redis("DEL", "cache:thing:x")
    await b.put(2)
    a.gates.committed.release()
    await late
    assert await b.read() == 2


async def test_r2b_a_write_through_fills_nothing_once_a_newer_write_has_raised_its_floor(world):
    """
    Writer A:  lease a ── commits 1 ───────────────────────────────────────── fills 1: below the floor, refused
    writer B:                         commits 2 ── raises a's floor ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica()
    a.gates.committed.hold()
    late = a.begin_put(1)
    await a.gates.committed.reached()
    await b.put(2)
    a.gates.committed.release()
    await late
    assert await b.read() == 2


async def test_r2b_a_write_through_that_did_not_happen_gives_its_lease_back(world):
    """Nobody fills under it any more, and nobody has to wait until it expires."""
    a = await world.replica(policy=WRITE_THROUGH)
    with pytest.raises(PreconditionFailedError):
        await a.put(1, condition=WriteCondition(if_match=frozenset({1})))
    await a.settle_down()
    assert a.store.leases == 1
    assert await world.cached() is None


async def test_r3_a_key_that_was_deleted_and_created_again_has_a_higher_version(world):
    """
    Reader A:  lease ── loads 1 ─────────────────────────────────────────── fill 1: refused
    writer B:                     deletes ── acked, creates 3 ── acked
    """
    a, b = await world.replica(), await world.replica()
    first = await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    gone = await b.delete()
    again = await b.put(3)
    assert first.row.version < gone.row.version < again.row.version
    assert again.row.created
    a.gates.loaded.release()
    assert await reader == 1
    assert await b.read() == 3


async def test_r3_what_was_deleted_is_gone_from_every_replicas_cache(world):
    """The tombstone has a version of its own, newer than what is cached."""
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    assert await a.read() == 1
    await b.delete()
    assert await a.read() is None
    await b.put(2)
    assert await a.read() == 2


async def test_r3_a_late_deletion_does_not_take_away_what_was_created_after_it(world):
    """
    Writer A:  deletes 1 ───────────────────────────────── installs "nothing": kept out
    writer B:              creates 3 ── installs 3 ── acked
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica(policy=WRITE_THROUGH)
    await a.put(1)
    assert await b.read() == 1
    a.gates.committed.hold()
    deletion = a.begin_delete()
    await a.gates.committed.reached()
    await b.put(3)
    a.gates.committed.release()
    await deletion
    answer = await a.get()
    assert (answer.outcome, answer.body) == (Outcome.HIT, b'{"n": 3}')


async def test_r4_versions_grow_in_the_order_of_commits(world):
    """
    Transaction T:  locks the row ──────────────────────────── writes 2 ── commits
    writer B:                        begins, waits for the row ....................... commits 3
    """
    b = await world.replica()
    await b.put(1)
    t = await world.connect()
    await t.execute("BEGIN; SELECT FROM entity WHERE id = 'x' FOR UPDATE")
    writer = b.begin_put(3)
    await world.until_somebody_waits_for_a_lock()
    version = await t.fetchval("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x' RETURNING version")
    await t.execute("COMMIT")
    assert (await writer).row.version > version
    assert await b.read() == 3


async def test_r4_versions_of_one_key_and_of_its_changes_are_the_same(world):
    """What the relay carries can be compared with what is cached."""
    b = await world.replica()
    versions = {(await b.put(1)).row.version, (await b.delete()).row.version, (await b.put(2)).row.version}
    poll = await world.relay.session.poll(NO_HORIZON, page_size=100)
    assert {changed.version for changed in poll.page} == versions


async def test_r7_an_invalidation_comes_after_the_commit(world):
    """
    Transaction T:  locks the row ──────────────────────────────────────────────── commits
    writer B:                        begins, waits for the row ............................. commits 2 ── acked
    reader A:                                                    misses, fills 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    t = await world.connect()
    await t.execute("BEGIN; SELECT FROM entity WHERE id = 'x' FOR UPDATE")
    writer = b.begin_put(2)
    await world.until_somebody_waits_for_a_lock()
    assert await a.read() == 1
    await t.execute("COMMIT")
    await writer
    assert await a.read() == 2


async def test_r7_an_invalidation_comes_before_the_acknowledgement(world):
    """
    Writer B:  commits 2 ── applies ........ is heard ── acked
    reader A:                                                    must not hit 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    assert await a.read() == 1
    b.gates.applying.hold()
    writer = b.begin_put(2)
    await b.gates.applying.reached()
    assert await a.read() == 1
    assert not writer.done()
    b.gates.applying.release()
    await writer
    assert await a.read() == 2


@pytest.mark.parametrize("policy", [None, WRITE_THROUGH], ids=["cache-aside", "write-through"])
async def test_r7_every_strategy_shows_a_replica_what_another_has_acknowledged(world, policy):
    a, b = await world.replica(policy=policy), await world.replica(policy=policy)
    for number in range(1, 13):
        await b.put(number)
        assert await a.read() == number
        assert await b.read() == number
