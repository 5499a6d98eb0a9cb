"""Races of a warming: what happens to a row between the lease of its page, the query and the fill."""

from __future__ import annotations

from service.cache.entry import Outcome
from service.services.warming import Tally
from tests.support.warmings import INSERT, INSTALLED, REFUSED, UPDATE, begin_warming


async def test_w1_a_write_between_the_lease_and_the_query_is_what_is_filled(world, warmer):
    """
    Warming:  leases ──────────────────────────── reads 2 ── fills 2
    writer B:           commits 2 ── applies
    """
    b = await world.replica()
    warmer.gates.loading.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loading.reached()
    await b.put(2)
    warmer.gates.loading.release()
    assert await warming == INSTALLED
    answer = await b.get()
    assert (answer.outcome, answer.body) == (Outcome.HIT, b'{"n": 2}')


async def test_w2_a_write_between_the_query_and_the_fill_is_not_covered_by_what_was_read_before_it(world, warmer):
    """
    Warming:  leases ── reads 1 ──────────────────────────────── fill 1: refused
    writer B:                      commits 2 ── applies ── acked
    reader C:                                                                      must not see 1
    """
    b, c = await world.replica(), await world.replica()
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await b.put(2)
    warmer.gates.loaded.release()
    assert await warming == REFUSED
    assert await c.read() == 2
    assert (await b.get()).outcome is Outcome.HIT


async def test_w2_a_deletion_between_the_query_and_the_fill_stays_a_deletion(world, warmer):
    """
    Warming:  leases ── reads 1 ───────────────────────── fill 1: refused
    writer B:                      deletes ── applies ── acked
    """
    b = await world.replica()
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await b.delete()
    warmer.gates.loaded.release()
    assert await warming == REFUSED
    assert await b.read() is None
    assert await warmer.read() is None


async def test_w2_only_the_key_that_was_written_is_refused(world, warmer):
    """The rest of its page is filled."""
    await world.sql(INSERT, "y")
    b = await world.replica()
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer, "x", "y")
    await warmer.gates.loaded.reached()
    await b.put(2)
    warmer.gates.loaded.release()
    assert await warming == Tally(rows=2, installed=1, refused=1)
    assert (await b.get("y")).outcome is Outcome.HIT
    assert await b.read() == 2


async def test_w3_what_the_relay_applies_between_the_query_and_the_fill_is_not_covered(world, warmer):
    """
    Warming:  leases ── reads 1 ──────────────────────────────── fill 1: refused
    SQL:                          commits 2
    relay:                                     polls ── applies
    """
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.sql(UPDATE, "x")
    await world.relay.carry()
    warmer.gates.loaded.release()
    assert await warming == REFUSED
    assert await warmer.read() == 2


async def test_w3_what_was_filled_before_the_relay_came_goes_when_it_comes(world, warmer):
    """
    Warming:  leases ── reads 1 ────────────── fills 1
    SQL:                          commits 2
    relay:                                                 polls ── applies: 1 goes
    """
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.sql(UPDATE, "x")
    warmer.gates.loaded.release()
    assert await warming == INSTALLED
    await world.relay.carry()
    assert await warmer.read() == 2


async def test_w4_a_truncate_before_the_query_leaves_what_counts_as_absent_afterwards(world, warmer):
    """
    Warming:  leases ─────────────── reads "nothing" ── fills that, labelled with the generation of its lease
    SQL:                 TRUNCATE                                                            commits 3
    relay:                                                                                              grants
    """
    b = await world.replica()
    warmer.gates.loading.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loading.reached()
    await world.sql("TRUNCATE entity")
    warmer.gates.loading.release()
    assert await warming == Tally(rows=1, absent=1)
    assert await b.read() is None
    await b.put(3)
    await world.relay.carry()
    assert await b.read() == 3
    assert await warmer.read() == 3


async def test_w4_what_was_read_before_a_truncate_is_not_read_in_the_next_generation(world, warmer):
    """
    Warming:  leases ── reads 1 ──────────────────────────── fills 1, labelled with the generation of its lease
    SQL:                          TRUNCATE
    relay:                                    grants the next
    reader B:                                                                                      must not hit 1
    """
    b = await world.replica()
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.sql("TRUNCATE entity")
    await world.relay.carry()
    assert await b.read("z") is None
    assert await warmer.read("z") is None  # its process knows the next generation by now
    warmer.gates.loaded.release()
    await warming
    assert await b.read() is None


async def test_w4_a_truncate_that_a_reader_has_seen_is_not_undone(world, warmer):
    """
    Warming:  leases ── reads 1 ────────────────────────────────────────────────────────────── fill 1: refused
    SQL:                          TRUNCATE
    reader B:                                 lease busy ── loads "nothing" ── repairs, answers
    """
    b = await world.replica()
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.sql("TRUNCATE entity")
    assert await b.read() is None
    warmer.gates.loaded.release()
    assert await warming == REFUSED
    assert await b.read() is None


async def test_w5_a_flush_takes_no_write_back(world, warmer):
    """
    Warming:  leases ── reads 1 ─────────────────────────────────────────────── fill 1: refused, its lease is gone
    Redis:                        FLUSHALL
    writer B:                                commits 2 ── applies to nothing
    relay:                                                                 grants
    """
    b = await world.replica()
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await world.redis("FLUSHALL")
    await b.put(2)
    await world.relay.carry()
    warmer.gates.loaded.release()
    assert await warming == REFUSED
    assert await b.read() == 2
