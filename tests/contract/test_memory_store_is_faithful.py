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
NAMES = ("country:JP",)
names = st.sampled_from(NAMES)
tokens = st.sampled_from([b"t1", b"t1", b"t2"])
versions = st.sampled_from([1, 2, 3, 9, 10])
generations = st.sampled_from([b"g.1", b"g.1", b"g.2"])
bodies = st.sampled_from([None, b"1", b'{"a":"b"}'])
ODD = [b"", b"V1 ", b"V1 5 g.1", b"V1 5 g.1 ", b"L1 t1 x", b"L1  3", b"N1 03 g.1 "]
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

    @rule(name=names, version=versions, generation=generations, body=bodies)
    def an_entry_is_there(self, name: str, version: int, generation: bytes, body: bytes | None) -> None:
        for bench in self.both:
            bench.put(name, entry(name, version, NOW_MS, generation=generation, body=body).payload)

    @rule(name=names, token=tokens, floor=versions)
    def a_lease_is_there(self, name: str, token: bytes, floor: int) -> None:
        for bench in self.both:
            bench.put(name, b"L1 %b %d\n" % (token, floor), ttl_ms=60_000)

    @rule(name=names, token=tokens, what=st.sampled_from(["abandon", "claim", "release"]))
    def the_rest_of_the_store(self, name: str, token: bytes, what: str) -> None:
        match what:
            case "abandon":
                self.same(lambda store: store.abandon(name))
            case "claim":
                self.same(lambda store: store.claim_refresh(name, token))
            case _:
                self.same(lambda store: store.release_refresh(name))

    @rule(name=names, odd=st.sampled_from(ODD), what=st.sampled_from(["odd", "list", "evicted"]))
    def somebody_meddles(self, name: str, odd: bytes, what: str) -> None:
        for bench in self.both:
            match what:
                case "odd":
                    bench.put(name, odd)
                case "list":
                    bench.put_list(name)
                case _:
                    bench.evict(name)

    @rule(generation=generations, what=st.sampled_from(["ours", "ours", "theirs", "none"]))
    def the_heartbeat_changes(self, generation: bytes, what: str) -> None:
        for bench in self.both:
            match what:
                case "ours":
                    bench.beat(generation)
                case "theirs":
                    bench.beat_of_another_server(generation)
                case _:
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
        run_state_machine_as_test(Machine, settings=quick(120, steps=50))
        runner.run(real.close())


async def made(url: str) -> RealBench:
    return RealBench(url)
