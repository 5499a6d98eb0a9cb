"""The relay's script on real servers: what it grants, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.cache.grants import Grant, Granted, Granter, Watermark
from service.cache.keys import HEARTBEAT, WATERMARK
from service.cache.lane import CacheExchangeError, connector
from service.embedded import Valkey
from tests.conftest import ValkeyFactory
from tests.contract.benches import RealBench, entry, real_bench, run_id_of
from tests.support.recording import Recording
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

NAME = "country:JP"
HORIZON = "700:702:700"


@pytest.fixture
async def bench(server: Valkey) -> AsyncIterator[RealBench]:
    async with real_bench(server.url) as made:
        yield made


@pytest.fixture
async def granter(server: Valkey, bench: RealBench) -> AsyncIterator[Granter]:
    made = Granter(connector(server.url), Recording(), timeout_seconds=2.0)
    await made.now_ms()
    yield made
    await made.close()


def grant(
    dies_at_ms: int, *, generation: str = "g.1", term: int = 1, poll: int = 1, horizon: str = HORIZON, version: int = 5
) -> Grant:
    return Grant(generation, term, poll, [NAME], [version], horizon, dies_at_ms)


async def test_the_last_page_applies_moves_the_watermark_and_grants_the_heartbeat(
    bench: RealBench, granter: Granter, server: Valkey
):
    bench.put(NAME, entry(NAME, 4, bench.store.now_ms()).payload)
    dies_at_ms = await granter.now_ms() + 2_000
    assert await granter.grant(grant(dies_at_ms)) is Granted.GRANTED
    assert not bench.exists(NAME)
    assert await granter.watermark() == Watermark("g.1", HORIZON)
    assert command(server.url, "GET", HEARTBEAT) == f"{run_id_of(server.url)}|g.1"
    assert command(server.url, "PEXPIRETIME", HEARTBEAT) == str(dies_at_ms)


async def test_a_heartbeat_ends_by_itself_and_with_it_the_cache(bench: RealBench, granter: Granter):
    await granter.grant(grant(await granter.now_ms() + 60))
    assert (await bench.store.read(NAME)).generation == b"g.1"

    async def is_off() -> bool:
        return (await bench.store.read(NAME)).generation is None

    await eventually(is_off)


async def test_a_page_that_is_not_the_last_applies_and_grants_nothing(
    bench: RealBench, granter: Granter, server: Valkey
):
    bench.put(NAME, entry(NAME, 4, bench.store.now_ms()).payload)
    assert await granter.grant(grant(0, horizon="")) is Granted.APPLIED
    assert not bench.exists(NAME)
    assert command(server.url, "EXISTS", HEARTBEAT, WATERMARK) == "0"


async def test_what_comes_after_its_heartbeat_would_be_dead_applies_and_grants_nothing(
    bench: RealBench, granter: Granter, server: Valkey
):
    bench.put(NAME, entry(NAME, 4, bench.store.now_ms()).payload)
    assert await granter.grant(grant(await granter.now_ms() - 1)) is Granted.LATE
    assert not bench.exists(NAME)
    assert command(server.url, "EXISTS", HEARTBEAT, WATERMARK) == "0"


@pytest.mark.parametrize(("term", "poll"), [(1, 9), (2, 1)])
async def test_a_script_of_an_older_term_or_poll_changes_nothing(
    bench: RealBench, granter: Granter, term: int, poll: int
):
    dies_at_ms = await granter.now_ms() + 5_000
    await granter.grant(grant(dies_at_ms, term=2, poll=2, generation="g.2"))
    payload = entry(NAME, 6, bench.store.now_ms(), generation=b"g.2").payload
    bench.put(NAME, payload)
    assert await granter.grant(grant(dies_at_ms + 1, term=term, poll=poll, version=9)) is Granted.SUPERSEDED
    assert bench.get(NAME) == payload
    assert await granter.watermark() == Watermark("g.2", HORIZON)


async def test_terms_are_compared_as_numbers(granter: Granter):
    dies_at_ms = await granter.now_ms() + 5_000
    assert await granter.grant(grant(dies_at_ms, term=9, poll=10)) is Granted.GRANTED
    assert await granter.grant(grant(dies_at_ms, term=10, poll=1)) is Granted.GRANTED


async def test_an_apply_of_the_relay_keeps_what_is_newer_and_raises_floors(bench: RealBench, granter: Granter):
    dies_at_ms = await granter.now_ms() + 5_000
    payload = entry(NAME, 6, bench.store.now_ms()).payload
    bench.put(NAME, payload)
    await granter.grant(grant(dies_at_ms, version=5))
    assert bench.get(NAME) == payload
    bench.put(NAME, b"L1 t1 0\n", ttl_ms=800)
    await granter.grant(grant(dies_at_ms, version=7, poll=2))
    assert bench.get(NAME) == b"L1 t1 7\n"


@pytest.mark.parametrize("watermark", ["nonsense", "1.1|g.1", "1.1|g 1|1:1:"])
async def test_a_watermark_that_cannot_be_read_is_none_and_is_overwritten(
    bench: RealBench, granter: Granter, server: Valkey, watermark: str
):
    command(server.url, "SET", WATERMARK, watermark)
    assert await granter.watermark() is None
    assert await granter.grant(grant(await granter.now_ms() + 5_000)) is Granted.GRANTED
    assert await granter.watermark() == Watermark("g.1", HORIZON)


async def test_a_script_for_another_server_changes_nothing(bench: RealBench, granter: Granter, server: Valkey):
    payload = entry(NAME, 4, bench.store.now_ms()).payload
    bench.put(NAME, payload)
    granter._lane.run_id = b"f" * 40  # what a proxy does that moves a connection to another server
    assert await granter.grant(grant(await granter.now_ms() + 5_000)) is Granted.RESTARTED
    assert bench.get(NAME) == payload
    assert command(server.url, "EXISTS", HEARTBEAT, WATERMARK) == "0"


async def test_a_grant_is_not_repeated_on_a_new_connection(valkey_factory: ValkeyFactory):
    mine = valkey_factory()
    granter = Granter(connector(mine.url), Recording(), timeout_seconds=2.0)
    try:
        dies_at_ms = await granter.now_ms() + 60_000
        before = granter.run_id
        mine.restart()
        with pytest.raises(CacheExchangeError):
            await granter.grant(grant(dies_at_ms))
        await granter.now_ms()
        assert granter.run_id != before
        assert command(mine.url, "EXISTS", HEARTBEAT, WATERMARK) == "0"
    finally:
        await granter.close()


async def test_a_script_that_the_server_forgot_is_sent_again(bench: RealBench, granter: Granter, server: Valkey):
    command(server.url, "SCRIPT", "FLUSH")
    assert await granter.grant(grant(await granter.now_ms() + 5_000)) is Granted.GRANTED
    assert (await bench.store.lease(NAME, b"t1")).lease is not None
