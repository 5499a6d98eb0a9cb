"""Races in which a reader puts into the cache what it has loaded, and what it loaded is old."""

from __future__ import annotations

from service.cache.entry import Detail, Outcome
from tests.support.glancing import reads_both_ways
from tests.support.world import WRITE_THROUGH

pytestmark = reads_both_ways


async def test_r1_a_reader_cannot_fill_an_old_value_after_an_invalidation(world):
    """
    Reader A:  lease ── loads 1 ─────────────────────────────────── fill 1: refused
    writer B:                     commits 2 ── applies ── acked
    reader C:                                                                         must not see 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(2)
    a.gates.loaded.release()
    assert await reader == 1  # it began before the write was acknowledged
    assert await b.read() == 2
    assert await a.read() == 2
    assert a.recorder.count("fill", "refused") == 1


async def test_r1_a_reader_cannot_fill_an_old_value_after_a_write_through(world):
    """As above, and the write carries its value along: it must not take the place of the reader's lease either."""
    a, b = await world.replica(), await world.replica(policy=WRITE_THROUGH)
    await world.sql("INSERT INTO entity (entity_type, id, body) VALUES ('thing', 'x', '{\"n\": 1}')")
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(2)
    a.gates.loaded.release()
    await reader
    assert await b.read() == 2
    assert await a.read() == 2


async def test_r9_absence_is_not_cached_over_a_key_that_is_being_created(world):
    """
    Reader A:  lease ── loads "nothing" ──────────────────────────── fill N: refused
    writer B:                             creates 1 ── applies ── acked
    reader C:                                                                         must see 1
    """
    a, b = await world.replica(), await world.replica()
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(1)
    a.gates.loaded.release()
    assert await reader is None
    assert await b.read() == 1


async def test_r9_cached_absence_ends_with_the_write_that_creates_the_key(world):
    """
    Reader A:  loads "nothing" ── fill N
    writer B:                             creates 1 ── applies: N is older, and goes ── acked
    """
    a, b = await world.replica(), await world.replica()
    assert (await a.get()).outcome is Outcome.MISS
    assert (await a.get()).outcome is Outcome.NEGATIVE_HIT
    await b.put(1)
    assert await a.read() == 1


async def test_r10_a_fill_without_its_lease_is_refused(world):
    """
    Reader A:  lease ── loads 1 ──────────────────────────────────────────── fill 1: refused
    Redis:                        evicts the lease
    writer B:                                       commits 2 ── applies to nothing ── acked
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    assert await world.redis("DEL", "cache:thing:x") == 1
    await b.put(2)
    assert await world.cached() is None
    a.gates.loaded.release()
    assert await reader == 1
    assert await world.cached() is None
    assert await b.read() == 2


async def test_r18_a_loader_that_slept_past_its_lease_cannot_fill_under_the_next_one(world):
    """
    Reader A:  lease a ── loads 1 ── sleeps ............................................ fill 1 with a: refused
    Redis:                            lease a expires
    writer B:                                          commits 2 ── acked
    reader C:                                                              lease c ── loads 2 ─────────────── fills 2
    """
    a, b, c = await world.replica(), await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    sleeper = a.begin_read()
    await a.gates.loaded.reached()
    await world.redis("PEXPIREAT", "cache:thing:x", 1)
    await b.put(2)
    c.gates.loaded.hold()
    reader = c.begin_read()
    await c.gates.loaded.reached()
    a.gates.loaded.release()
    assert await sleeper == 1
    assert await b.read() == 2
    c.gates.loaded.release()
    assert await reader == 2
    answer = await b.get()
    assert (answer.outcome, answer.body) == (Outcome.HIT, b'{"n": 2}')


async def test_r18_a_loader_that_slept_past_its_lease_cannot_fill_over_a_newer_value(world):
    """As above, and reader C has filled 2 before A wakes up."""
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    sleeper = a.begin_read()
    await a.gates.loaded.reached()
    await world.redis("PEXPIREAT", "cache:thing:x", 1)
    await b.put(2)
    assert await b.read() == 2
    a.gates.loaded.release()
    await sleeper
    answer = await b.get()
    assert (answer.outcome, answer.body, answer.detail) == (Outcome.HIT, b'{"n": 2}', Detail.NONE)


async def test_r1_a_refused_fill_leaves_no_dead_lease_behind(world):
    """
    Reader A:  lease ── loads 1 ──────────────────────────── fill 1: refused, and nobody else holds its lease
    writer B:                     commits 2 ── acked
    reader C:                                                  should fill 2, not wait for the lease to expire
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(2)
    a.gates.loaded.release()
    await reader
    answer = await b.get()
    assert (answer.body, answer.detail) == (b'{"n": 2}', Detail.NONE)
    assert (await a.get()).outcome is Outcome.HIT
