"""When a version may be told to the outside."""

from __future__ import annotations

import time

import pytest

from service.cache.entry import Lease
from service.cache.keys import cache_key
from service.cache.settling import Settler
from service.cache.store import Change, Install
from service.domain.row import Coverage
from tests.support.memory_engine import GENERATION, World
from tests.support.memory_store import MemoryStore

NAME = "country:JP"
CHANGE = Change(NAME, 5, GENERATION)


class Bench:
    def __init__(self, *, bound_seconds: float = 0.02, fails_over: bool = False) -> None:
        self.world = World()
        self.store = MemoryStore(self.world.server, fails_over=fails_over)
        self.settler = Settler(self.store, self.world.rows, bound_seconds=bound_seconds)


async def test_an_attempt_succeeds_where_the_cache_was_reached():
    bench = Bench()
    bench.world.cache(NAME, 4, b"1")
    assert await bench.settler.try_apply(CHANGE)
    assert bench.world.cached(NAME) is None


async def test_an_attempt_that_does_not_reach_the_cache_is_no_success():
    bench = Bench()
    bench.store.reachable = False
    assert not await bench.settler.try_apply(CHANGE)


async def test_an_attempt_on_a_server_that_readers_may_not_use_is_no_success():
    bench = Bench(fails_over=True)
    bench.world.server.beat(GENERATION, run_id=b"f" * 40)
    assert not await bench.settler.try_apply(CHANGE)


@pytest.mark.parametrize("trouble", ["none", "refused", "lost"])
async def test_a_fill_that_is_refused_or_lost_is_followed_by_an_apply(trouble: str):
    bench = Bench()
    entry = bench.world.cache(NAME, 5, b"1")
    payload = bench.world.server.get(cache_key(NAME)) or b""
    bench.world.server.set(cache_key(NAME), b"L1 t1 0\n")
    if trouble == "refused":
        bench.world.cache(NAME, 4, b"0")
    if trouble == "lost":
        bench.store.lost = {"fill"}
    lease = Lease(b"t1", GENERATION)
    assert await bench.settler.try_fill(CHANGE, lease, Install(payload, entry.stale_until_ms))
    assert bench.store.calls == (["fill"] if trouble == "none" else ["fill", "apply"])
    held = bench.world.cached(NAME)
    assert (held is not None and held.version == 5) is (trouble == "none")


async def test_what_the_ledger_covers_may_be_told_at_once_and_without_the_cache():
    bench = Bench(bound_seconds=60)
    bench.store.reachable = False
    bench.world.rows.covered = True
    assert not await bench.settler.settle(CHANGE, since=time.monotonic())
    assert bench.store.calls == []


async def test_what_was_known_of_the_ledger_is_not_asked_again():
    bench = Bench(bound_seconds=60)
    known = Coverage(covered=True, wait_seconds=1.0)
    assert not await bench.settler.settle(CHANGE, since=time.monotonic(), known=known)
    assert bench.world.rows.coverages == 0


async def test_otherwise_every_heartbeat_that_may_be_alive_is_waited_out():
    bench = Bench(bound_seconds=0.02)
    bench.store.reachable = False
    since = time.monotonic()
    assert not await bench.settler.settle(CHANGE, since=since)
    assert time.monotonic() - since >= 0.02


async def test_the_wait_counts_from_the_commit_and_not_from_the_call():
    bench = Bench(bound_seconds=5)
    bench.store.reachable = False
    assert not await bench.settler.settle(CHANGE, since=time.monotonic() - 5)


async def test_the_wait_ends_as_soon_as_the_ledger_shows_that_it_may():
    bench = Bench(bound_seconds=60)
    bench.store.reachable = False

    def relay_applies(_call: str) -> None:
        bench.world.rows.covered = len(bench.store.calls) >= 3

    bench.store.before = relay_applies
    assert not await bench.settler.settle(CHANGE, since=time.monotonic())
    assert len(bench.store.calls) == 3


async def test_the_wait_ends_as_soon_as_the_cache_takes_the_change():
    bench = Bench(bound_seconds=60)
    bench.world.cache(NAME, 4, b"0")
    bench.store.reachable = False

    def redis_is_back(_call: str) -> None:
        bench.store.reachable = len(bench.store.calls) >= 3

    bench.store.before = redis_is_back
    assert await bench.settler.settle(CHANGE, since=time.monotonic())
    assert bench.world.cached(NAME) is None


async def test_while_the_breaker_is_open_the_cache_is_not_asked():
    bench = Bench(bound_seconds=0.01)
    bench.store.available = False
    assert not await bench.settler.settle(CHANGE, since=time.monotonic())
    assert bench.store.calls == []


async def test_where_the_ledger_cannot_be_read_the_clock_decides():
    bench = Bench(bound_seconds=0.02)
    bench.store.reachable = bench.world.rows.reachable = False
    since = time.monotonic()
    assert not await bench.settler.settle(CHANGE, since=since)
    assert time.monotonic() - since >= 0.02
