"""What every store promises of many keys that are read at once."""

from __future__ import annotations

import pytest

from service.errors import CacheUnavailableError
from tests.contract.benches import GENERATION, Bench, MemoryBench


async def test_each_key_has_its_reading_in_order_and_an_absent_one_has_none(bench: Bench):
    names = [f"t:{n}" for n in range(1_000)]
    for name in names[::2]:
        bench.put(name, name.encode())
    readings = await bench.store.read_many(names)
    assert [reading.raw for reading in readings[:4]] == [b"t:0", None, b"t:2", None]
    assert len(readings) == len(names)
    assert {reading.generation for reading in readings} == {GENERATION}


async def test_no_keys_are_no_readings(bench: Bench):
    assert await bench.store.read_many([]) == []


async def test_without_a_heartbeat_none_of_them_may_be_used(bench: Bench):
    bench.put("t:a", b"1")
    bench.fall_silent()
    assert {reading.generation for reading in await bench.store.read_many(["t:a", "t:b"])} == {None}


async def test_a_store_that_cannot_be_reached_says_so_once():
    bench = MemoryBench()
    bench.store.reachable = False  # type: ignore[attr-defined]
    with pytest.raises(CacheUnavailableError):
        await bench.store.read_many(["t:a", "t:b"])
