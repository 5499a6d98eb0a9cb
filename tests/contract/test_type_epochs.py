"""A type that was given up as a whole: none of its entries from before counts, and all others count as they did."""

from __future__ import annotations

import pytest

from service.cache.grants import Grant, Granted, Granter, Watermark
from service.cache.lane import connector
from service.cache.store import Effect
from service.embedded import Valkey
from tests.contract.benches import Bench, RealBench, drop, entry, real_bench
from tests.support.recording import Recording

BEFORE, AFTER = b"g.1", b"g.1 country:7 country-code:9"
COUNTRY, CODE, CITY = "country:JP", "country-code:JP", "city:TYO"


def hold(bench: Bench, name: str, label: bytes = BEFORE, version: int = 1) -> bytes:
    payload = entry(name, version, bench.store.now_ms(), generation=label).payload
    bench.put(name, payload, ttl_ms=60_000)
    return payload


async def test_readers_are_told_the_label_that_each_type_must_have(bench: Bench):
    bench.beat(AFTER)
    readings = await bench.store.read_many([COUNTRY, CITY, CODE])
    assert [reading.generation for reading in readings] == [b"g.1.7", b"g.1", b"g.1.9"]
    assert (await bench.store.read(COUNTRY)).generation == b"g.1.7"
    assert bench.store.generation_of(CODE) == b"g.1.9"


@pytest.mark.parametrize(("name", "label"), [(COUNTRY, b"g.1.7"), (CODE, b"g.1.9")])
async def test_an_entry_from_before_gives_way_to_a_lease_and_one_from_after_does_not(
    bench: Bench, name: str, label: bytes
):
    hold(bench, name)
    bench.beat(AFTER)
    leased = await bench.store.lease(name, b"token")
    assert leased.lease is not None
    assert leased.lease.generation == label
    payload = hold(bench, name, label)
    assert (await bench.store.lease(name, b"another")).reading == (payload, label)


async def test_entries_of_other_types_stay(bench: Bench):
    payload = hold(bench, CITY)
    bench.beat(AFTER)
    assert (await bench.store.lease(CITY, b"token")).reading == (payload, b"g.1")


async def test_a_writer_that_knows_only_the_label_from_before_drops_what_it_meets(bench: Bench):
    hold(bench, COUNTRY, b"g.1.7", version=9)
    assert (await bench.store.apply(drop(COUNTRY, 8))).effect is Effect.DROPPED


async def test_the_relay_compares_with_the_label_of_each_type(server: Valkey):
    async with real_bench(server.url) as bench:
        await _grant_and_look(bench, server.url)


async def _grant_and_look(bench: RealBench, url: str) -> None:
    granter = Granter(connector(url), Recording(), timeout_seconds=2.0)
    newer = hold(bench, COUNTRY, b"g.1.7", version=9)
    hold(bench, CODE, version=9)
    other = hold(bench, CITY, version=9)
    try:
        names, dies_at_ms = [COUNTRY, CODE, CITY], await granter.now_ms() + 5_000
        grant = Grant(AFTER.decode(), 1, 1, names, [8, 8, 8], "700:702:700", dies_at_ms)
        assert await granter.grant(grant) is Granted.GRANTED
        assert await granter.watermark() == Watermark("g.1", "700:702:700")
    finally:
        await granter.close()
    assert (bench.get(COUNTRY), bench.get(CODE), bench.get(CITY)) == (newer, None, other)
    assert (await bench.store.read(COUNTRY)).generation == b"g.1.7"
