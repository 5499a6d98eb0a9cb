"""What only the store on a real server has: connections, batches, a breaker, a clock."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest

from service.cache.lane import CacheExchangeError, connector
from service.cache.redis_store import RedisStore
from service.embedded import Valkey
from service.errors import CacheUnavailableError
from tests.conftest import ValkeyFactory
from tests.contract.benches import RealBench, entry, real_bench, redis_store
from tests.support.recording import Recording
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

NAME = "country:JP"


@pytest.fixture
async def bench(server: Valkey) -> AsyncIterator[RealBench]:
    async with real_bench(server.url) as made:
        made.beat()
        yield made


def impatient(url: str) -> RedisStore:
    return RedisStore(
        connector(url), Recording(), timeout_seconds=0.05, lease_ms=5_000, lanes=1, fails_over=False, bound_seconds=2.0
    )


async def test_reads_that_wait_at_the_same_moment_go_in_one_command(bench: RealBench, server: Valkey):
    await bench.store.read(NAME)
    command(server.url, "CONFIG", "RESETSTAT")
    await asyncio.gather(*[bench.store.read(f"country:{n}") for n in range(300)])
    assert "cmdstat_mget:calls=1," in (command(server.url, "INFO", "commandstats") or "")


async def test_leases_of_readers_and_writers_in_one_batch_each_get_their_own_answer(bench: RealBench):
    bench.put("country:FR", entry("country:FR", 1, bench.store.now_ms()).payload)
    read, write, taken, absent = await asyncio.gather(
        bench.store.lease("country:FR", b"t1"),
        bench.store.lease("country:FR", b"t2", for_write=True),
        bench.store.lease("country:DE", b"t3", for_write=True),
        bench.store.lease("country:IT", b"t4"),
    )
    assert read.reading.raw is not None
    assert write == (None, (None, b"g.1"))
    assert taken.lease is not None
    assert absent.lease is not None


async def test_where_the_scripts_were_forgotten_a_lease_is_filled_under_the_token_that_took_it(
    bench: RealBench, server: Valkey
):
    await bench.store.lease("country:FR", b"t1")
    command(server.url, "SCRIPT", "FLUSH")
    lease = (await bench.store.lease(NAME, b"t2")).lease
    assert lease is not None
    assert lease.token != b"t2"  # that one was refused, and is not sent again
    assert bench.get(NAME) == b"L1 %b 0\n" % lease.token
    assert (await bench.store.fill(NAME, lease.token, 1, entry(NAME, 1, bench.store.now_ms()))).stored


async def test_claims_that_wait_at_the_same_moment_go_in_one_write_and_each_gets_its_own_answer(bench: RealBench):
    assert await bench.store.claim_refresh("country:FR", b"mine")
    first, second, taken, released, again = await asyncio.gather(
        bench.store.claim_refresh("country:DE", b"t1"),
        bench.store.claim_refresh("country:DE", b"t2"),
        bench.store.claim_refresh("country:FR", b"t3"),
        bench.store.release_refresh("country:FR"),
        bench.store.claim_refresh("country:FR", b"t4"),
    )
    assert (first, second, taken, released, again) == (True, False, False, None, True)
    assert bench.redis_store._recorder.count("cache_call", "refresh") == 2


async def test_the_store_tells_the_time_of_the_server(bench: RealBench, server: Valkey):
    seconds = command(server.url, "EVAL", "return redis.call('TIME')[1]", "0")
    assert abs(bench.store.now_ms() - int(seconds or 0) * 1000) < 1_500


async def test_a_paused_server_opens_the_breaker_at_the_first_timeout_and_the_pulse_closes_it(
    valkey_factory: ValkeyFactory,
):
    mine = valkey_factory()
    store = impatient(mine.url)
    try:
        await store.read(NAME)
        mine.pause()
        with pytest.raises(CacheExchangeError) as failure:
            await store.read(NAME)
        assert failure.value.kind == "timeout"
        assert not store.available
        started = time.monotonic()
        with pytest.raises(CacheUnavailableError):
            await store.read(NAME)
        assert time.monotonic() - started < 0.02  # nobody waits for a server that does not answer
        store.pulse.start()
        mine.resume()
        await eventually(lambda: store.available)
        assert (await store.read(NAME)).raw is None
    finally:
        mine.resume()
        await store.close()


async def test_while_nobody_vouches_for_the_server_it_is_looked_at_again_soon(valkey_factory: ValkeyFactory):
    """In calm it is once a second: six looks would take five."""
    mine = valkey_factory()
    store = redis_store(mine.url)

    def looks() -> int:
        found = re.search(r"cmdstat_time:calls=(\d+)", command(mine.url, "INFO", "commandstats") or "")
        return int(found[1]) if found else 0

    try:
        store.pulse.start()
        await eventually(lambda: looks() >= 6, within_seconds=4)
    finally:
        await store.close()


async def test_a_restarted_server_costs_its_readers_no_error(valkey_factory: ValkeyFactory):
    mine = valkey_factory()
    store = redis_store(mine.url)
    try:
        await store.read(NAME)
        mine.restart()
        assert await store.read(NAME) == (None, None)
    finally:
        await store.close()


async def test_a_heartbeat_that_came_back_with_a_snapshot_is_not_believed(valkey_factory: ValkeyFactory):
    mine = valkey_factory()
    async with real_bench(mine.url) as bench:
        bench.beat()
        command(mine.url, "SAVE")
        assert (await bench.store.read(NAME)).generation == b"g.1"
        mine.kill()
        mine.start()
        assert await bench.store.read(NAME) == (None, None)


async def test_a_cancelled_reader_takes_nobody_elses_answer_along(bench: RealBench):
    names = [f"country:{n}" for n in range(40)]
    for name in names:
        bench.put(name, entry(name, 1, bench.store.now_ms()).payload)
    for _ in range(20):
        reads = [asyncio.ensure_future(bench.store.read(name)) for name in names]
        await asyncio.sleep(0)
        for read in reads[::3]:
            read.cancel()
        for name, read in zip(names, reads, strict=True):
            if not read.cancelled() and read not in reads[::3]:
                raw = (await read).raw
                assert raw is not None
                assert f" {name}\n".encode() in raw
