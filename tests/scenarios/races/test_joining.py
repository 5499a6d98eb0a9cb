"""Races in which many ask for the same at once."""

from __future__ import annotations

import asyncio

from service.cache.entry import Outcome
from tests.support.glancing import reads_both_ways
from tests.support.polling import turns
from tests.support.waiting import eventually

pytestmark = reads_both_ways


async def test_r19_after_a_flush_at_full_load_few_queries_carry_many_readers(world):
    """
    Redis:      FLUSHALL: no entry, no heartbeat, the cache is off
    readers:    three hundred keys, each wanted twice in each replica
    database:   at most three queries of one replica at once, the rest waits and goes together
    """
    a, b = await world.replica(), await world.replica()
    for replica in (a, b):
        assert await replica.read() is None
    ids = [f"id-{n}" for n in range(300)]
    await world.redis("FLUSHALL")
    for replica in (a, b):
        replica.source.queries = 0
        replica.gates.loading.hold()
    readers = []
    for entity_id in ids:
        readers += [replica.begin_read(entity_id) for replica in (a, b) for _ in range(2)]
        await turns(3)
    await a.gates.loading.reached()
    await eventually(lambda: a.recorder.count("cache_call", "read") + b.recorder.count("cache_call", "read") > 2)
    for replica in (a, b):
        replica.gates.release()
    assert await asyncio.gather(*readers) == [None] * len(readers)
    for replica in (a, b):
        assert replica.source.most_at_once <= 3
        assert replica.source.queries <= 20


async def test_r19_after_a_flush_one_reader_of_all_replicas_loads_a_hot_key(world):
    """
    Replica A:  two hundred readers: one asks for the lease, gets it, loads, fills ── all hit
    replica B:  two hundred readers: one asks for the lease, waits for the value   ── all hit
    """
    a, b = await world.replica(lease_wait_seconds=5.0), await world.replica(lease_wait_seconds=5.0)
    await a.put(1)
    await world.redis("FLUSHALL")
    await world.relay.carry()
    for replica in (a, b):
        replica.gates.loading.hold()
    readers = [replica.begin_read() for _ in range(200) for replica in (a, b)]
    await eventually(lambda: a.store.leases and b.store.leases)
    await eventually(lambda: a.source.queries or b.source.queries)
    await turns(50)
    for replica in (a, b):
        replica.gates.loading.release()
    assert await asyncio.gather(*readers) == [1] * 400
    assert a.source.queries + b.source.queries == 1
    assert a.store.leases + b.store.leases == 2


async def test_r19_a_flush_takes_no_write_back(world):
    """
    Reader A:  lease ── loads 1 ──────────────────────────────────────── fill 1: refused
    Redis:                        FLUSHALL
    writer B:                                commits 2 ── acked
    relay:                                                       grants
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    a.gates.loaded.hold()
    reader = a.begin_read()
    await a.gates.loaded.reached()
    await world.redis("FLUSHALL")
    await b.put(2)
    await world.relay.carry()
    a.gates.loaded.release()
    assert await reader == 1
    assert await b.read() == 2
    assert (await a.get()).outcome is Outcome.HIT


async def test_r20_a_reader_joins_no_query_that_was_sent_before_it_came(world):
    """
    Reader 1:  query sent ──────────────────────────────── answers 1
    writer B:                commits 2 ── acked
    reader 2:                                    comes ── must not get reader 1's 1
    """
    a, b = await world.replica(), await world.replica()
    await b.put(1)
    await world.redis("DEL", "aside:hb")
    a.gates.loaded.hold(1)
    first = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(2)
    second = a.begin_read()
    await eventually(lambda: a.recorder.count("cache_call", "read") == 2)
    await turns()
    a.gates.loaded.release()
    assert await first == 1
    assert await second == 2


async def test_r20_a_reader_without_redis_joins_no_query_that_was_sent_before_it_came(world):
    """As above, and reader 1's and 2's replica has lost Redis: neither looks, and there is no flight."""
    link = await world.proxy()
    a, b = await world.replica(redis_url=link.url), await world.replica()
    await b.put(1)
    await world.relay.carry()
    link.cut()
    for _ in range(2):
        await a.beat()
    a.gates.loaded.hold(1)
    first = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(2)
    await world.relay.carry()
    second = a.begin_read()
    await turns(20)
    a.gates.loaded.release()
    assert await first == 1
    assert await second == 2


async def test_r20_a_reader_is_not_handed_what_its_processs_leader_loaded_before_it_came(world):
    """As above, with the cache on: reader 2 waits for reader 1's flight, then looks for itself."""
    a, b = await world.replica(lease_wait_seconds=1.0), await world.replica()
    await b.put(1)
    a.gates.loaded.hold(1)
    first = a.begin_read()
    await a.gates.loaded.reached()
    await b.put(2)
    second = a.begin_read()
    await eventually(lambda: a.recorder.count("cache_call", "read") == 2)
    await turns()
    a.gates.loaded.release()
    assert await first == 1
    assert await second == 2
