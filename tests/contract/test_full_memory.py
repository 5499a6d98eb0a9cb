"""A server that is full and may evict nothing: what keeps the cache true goes on, what would fill it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from service.cache.grants import Grant, Granted, Granter
from service.cache.lane import CacheExchangeError, connector
from service.cache.store import Change, Effect
from service.embedded import Valkey
from tests.contract.benches import RealBench, drop, entry, real_bench
from tests.contract.conftest import programs, running
from tests.support.recording import Recording
from tests.support.valkey_commands import command

NAME = "country:JP"


@pytest.fixture(scope="module", params=sorted(programs()))
def small_server(request: pytest.FixtureRequest) -> Iterator[Valkey]:
    with running(programs()[request.param], {"maxmemory-policy": "noeviction"}) as started:
        yield started


@pytest.fixture
async def bench(small_server: Valkey) -> AsyncIterator[RealBench]:
    """A value, a lease and a heartbeat, and then not a byte more."""
    command(small_server.url, "CONFIG", "SET", "maxmemory", "0")
    async with real_bench(small_server.url) as made:
        made.beat()
        made.put(NAME, entry(NAME, 4, made.store.now_ms()).payload)
        made.put("country:FR", b"L1 t1 0\n", ttl_ms=60_000)
        await made.store.read(NAME)
        command(small_server.url, "CONFIG", "SET", "maxmemory", "1")
        yield made


async def test_an_apply_still_invalidates(bench: RealBench):
    assert (await bench.store.apply(drop(NAME, 5))).effect is Effect.DROPPED
    assert not bench.exists(NAME)


async def test_an_apply_with_a_body_leaves_nothing_older_behind(bench: RealBench):
    install = entry(NAME, 5, bench.store.now_ms())
    applied = await bench.store.apply(Change(NAME, 5, b"g.1", install))
    assert applied.effect in (Effect.REPLACED, Effect.DROPPED)
    assert not (bench.get(NAME) or b"").startswith(b"V1 4 ")


async def test_an_apply_still_raises_the_floor_of_a_lease(bench: RealBench):
    assert (await bench.store.apply(drop("country:FR", 5))).effect is Effect.RAISED
    assert bench.get("country:FR") == b"L1 t1 5\n"


async def test_reads_go_on(bench: RealBench):
    assert (await bench.store.read(NAME)).raw is not None


async def test_the_heartbeat_is_still_granted(bench: RealBench, small_server: Valkey):
    granter = Granter(connector(small_server.url), Recording(), timeout_seconds=2.0)
    try:
        dies_at_ms = await granter.now_ms() + 5_000
        granted = await granter.grant(Grant("g.1", 1, 1, [NAME], [5], "7:7:", dies_at_ms))
    finally:
        await granter.close()
    assert granted is Granted.GRANTED
    assert not bench.exists(NAME)


async def test_leases_and_fills_are_refused_and_the_breaker_stays_closed(bench: RealBench):
    store = bench.store
    for _ in range(3):
        with pytest.raises(CacheExchangeError) as lease:
            await store.lease("country:DE", b"t1")
        with pytest.raises(CacheExchangeError) as fill:
            await store.fill("country:FR", b"t1", 5, entry("country:FR", 5, store.now_ms()))
        assert (lease.value.kind, fill.value.kind) == ("response", "response")
    assert store.available
    assert not bench.exists("country:DE")


async def test_a_claim_that_is_refused_is_an_error_and_the_connection_serves_on(bench: RealBench, small_server: Valkey):
    """Its neighbours in the same write were answered too: no reply may stay behind for whoever comes next."""
    results = await asyncio.gather(
        bench.store.claim_refresh("country:DE", b"t1"),
        bench.store.release_refresh(NAME),
        bench.store.claim_refresh("country:IT", b"t2"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [CacheExchangeError] * 3
    await bench.store.release_refresh(NAME)
    command(small_server.url, "CONFIG", "SET", "maxmemory", "0")
    assert await bench.store.claim_refresh("country:DE", b"t3")
