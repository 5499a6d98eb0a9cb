"""The store over a dictionary and the one over a real server, asked the same, step by step, by a state machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from service.cache.store import Change, Leased, Store
from service.embedded import Valkey
from tests.contract.benches import Bench, MemoryBench, RealBench, entry
from tests.support.quick import quick
from tests.support.valkey_commands import command

T = TypeVar("T")
NAMES = ("country:JP", "country:FR")
names = st.sampled_from(NAMES)
tokens = st.sampled_from([b"t1", b"t2", b"t3"])
versions = st.integers(1, 12)
generations = st.sampled_from([b"g.1", b"g.2"])
bodies = st.sampled_from([None, b"1", b'{"a":"b"}'])
NOW_MS = 4_000_000_000_000  # far ahead, so that nothing expires between two looks


class SideBySide(RuleBasedStateMachine):
    """Whatever one answers and keeps, the other does too. Class attributes: the machine is made by hypothesis."""

    runner: asyncio.Runner
    real: RealBench
    url: str

    def __init__(self) -> None:
        super().__init__()
        command(self.url, "FLUSHALL")
        self.memory = MemoryBench()
        self.both: tuple[Bench, Bench] = (self.memory, self.real)
        for bench in self.both:
            bench.beat(b"g.1")

    def same(self, ask: Callable[[Store], Awaitable[T]]) -> T:
        async def run(store: Store) -> T:
            return await ask(store)

        here, there = (self.runner.run(run(bench.store)) for bench in self.both)
        assert here == there
        return here

    @rule(name=names)
    def read(self, name: str) -> None:
        self.same(lambda store: store.read(name))

    @rule(name=names, token=tokens, for_write=st.booleans())
    def lease(self, name: str, token: bytes, for_write: bool) -> None:  # noqa: FBT001 (drawn by name)
        leased: Leased = self.same(lambda store: store.lease(name, token, for_write=for_write))
        assert leased.lease is None or leased.lease.token == token

    @rule(name=names, token=tokens, version=versions, generation=generations, body=bodies)
    def fill(self, name: str, token: bytes, version: int, generation: bytes, body: bytes | None) -> None:
        install = entry(name, version, NOW_MS, generation=generation, body=body)
        self.same(lambda store: store.fill(name, token, version, install))

    @rule(name=names, version=versions, generation=generations)
    def apply_without_body(self, name: str, version: int, generation: bytes) -> None:
        self.same(lambda store: store.apply(Change(name, version, generation)))

    @rule(name=names, version=versions, generation=generations, body=bodies, renew=st.booleans())
    def apply_with_body(
        self, name: str, version: int, generation: bytes, body: bytes | None, renew: bool  # noqa: FBT001
    ) -> None:  # fmt: skip
        install = entry(name, version, NOW_MS, generation=generation, body=body)
        self.same(lambda store: store.apply(Change(name, version, generation, install, renew)))

    @rule(name=names)
    def abandon(self, name: str) -> None:
        self.same(lambda store: store.abandon(name))

    @rule(name=names, token=tokens)
    def claim(self, name: str, token: bytes) -> None:
        self.same(lambda store: store.claim_refresh(name, token))

    @rule(name=names)
    def release(self, name: str) -> None:
        self.same(lambda store: store.release_refresh(name))

    @rule(name=names, value=st.sampled_from([b"", b"V1 ", b"V1 5 g.1", b"V1 5 g.1 ", b"L1 t1 x", b"L1  3", b"N1 03 g.1 "]))
    def somebody_writes(self, name: str, value: bytes) -> None:
        for bench in self.both:
            bench.put(name, value)

    @rule(name=names)
    def somebody_pushes(self, name: str) -> None:
        for bench in self.both:
            bench.put_list(name)

    @rule(name=names)
    def evict(self, name: str) -> None:
        for bench in self.both:
            bench.evict(name)

    @rule(generation=generations, ours=st.booleans())
    def beat(self, generation: bytes, ours: bool) -> None:  # noqa: FBT001 (drawn by name)
        for bench in self.both:
            (bench.beat if ours else bench.beat_of_another_server)(generation)

    @rule()
    def fall_silent(self) -> None:
        for bench in self.both:
            bench.fall_silent()

    @invariant()
    def both_keep_the_same(self) -> None:
        for name in NAMES:
            here, there = ((b.exists(name), b.get(name), b.ttl_ms(name) is None) for b in self.both)
            assert here == there


def test_the_dictionary_does_what_the_scripts_do(server: Valkey) -> None:
    command(server.url, "FLUSHALL")
    with asyncio.Runner() as runner:
        real = runner.run(made(server.url))

        class Machine(SideBySide):
            pass

        Machine.runner, Machine.real, Machine.url = runner, real, server.url
        run_state_machine_as_test(Machine, settings=quick(60, steps=40))
        runner.run(real.close())


async def made(url: str) -> RealBench:
    return RealBench(url)
