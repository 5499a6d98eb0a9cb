"""One strategy, one leg: three replicas of it, the work of the plan, and a judge of every read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import asyncpg

from service.embedded import Valkey
from service.errors import AsideError
from tests.naive.aside import Aside, open_aside
from tests.naive.faults import Breaker
from tests.naive.figures import Figures
from tests.naive.link import Link
from tests.naive.pipe import Pipes
from tests.naive.plan import Kind, Operation, Plan
from tests.naive.rows import Rows
from tests.naive.strategies import CacheAside, Got, WriterDiedError
from tests.support.registers import Registers
from tests.support.waiting import eventually

FAILED = (AsideError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Replica(Protocol):
    """What the strategies have in common."""

    async def read(self, key: str) -> Got: ...
    async def write(self, key: str, body: str, *, dies: bool = False) -> int: ...


class Leg:
    """``reached`` is told the number of each operation before it begins."""

    def __init__(self, plan: Plan, replicas: list[Replica], others: Rows, *, with_failures: bool) -> None:
        self._plan = plan
        self._replicas = replicas
        self._others = others
        self._work = enumerate(plan.work(with_failures=with_failures))
        self._registers = Registers(bound_seconds=plan.bound_seconds)
        self.figures = Figures()

    async def run(self, reached: Callable[[int], None]) -> None:
        started, cpu = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.workers):
                group.create_task(self._worker(reached))
        self.figures.seconds = time.monotonic() - started
        self.figures.cpu_seconds = time.process_time() - cpu

    async def _worker(self, reached: Callable[[int], None]) -> None:
        for number, operation in self._work:
            reached(number)
            try:
                await self._do(number, operation)
            except FAILED as error:
                self.figures.failed(type(error).__name__)

    async def _do(self, number: int, operation: Operation) -> None:
        kind, key, place, dies = operation
        figures, registers, replica = self.figures, self._registers, self._replicas[place]
        if kind is Kind.READ:
            floors = registers.begin(key)
            version, is_hit, payload = await replica.read(key)
            figures.read(registers.answered(key, floors, version), is_hit=is_hit)
            if f'"{key}"'.encode() not in payload:
                figures.wrong += 1
            return
        body = f'{{"key": "{key}", "serial": {number}}}'
        if kind is Kind.SQL:
            registers.committed(key, (await self._others.write(key, body)).version)
            figures.plain_sql += 1
            return
        try:
            registers.acknowledged(key, await replica.write(key, body, dies=dies))
            figures.writes += 1
        except WriterDiedError as death:
            registers.committed(key, death.version)
            figures.died += 1


async def run_leg(
    strategy: type[CacheAside] | type[Aside], plan: Plan, *, database_url: str, valkey: Valkey, with_failures: bool,
    reached: Callable[[int], None] = lambda _: None,
) -> Figures:  # fmt: skip
    """On an empty database with the schema, and an empty Valkey. What could not be asked of the cache is no failure."""
    async with AsyncExitStack() as stack:
        others = await Rows.open(database_url, connections=plan.connections)
        stack.callback(others.close)
        await others.insert(plan.names, [f'{{"key": "{name}", "serial": -1}}' for name in plan.names])
        links = [
            await stack.enter_async_context(Link.to(valkey.url, seed=plan.seed * 10 + number))
            for number in range(plan.replicas)
        ]
        replicas: list[Replica] = [
            await stack.enter_async_context(_open(strategy, plan, database_url, link.url)) for link in links
        ]
        leg = Leg(plan, replicas, others, with_failures=with_failures)
        breaker = Breaker(plan.faults() if with_failures else (), links, valkey)
        breaking = asyncio.create_task(breaker.run())

        def tell(number: int) -> None:
            breaker.reached(number)
            reached(number)

        try:
            await leg.run(tell)
        finally:
            breaking.cancel()
            await asyncio.gather(breaking, return_exceptions=True)
        leg.figures.faults = breaker.done
        return leg.figures


@asynccontextmanager
async def _open(
    strategy: type[CacheAside] | type[Aside], plan: Plan, database_url: str, redis_url: str
) -> AsyncIterator[Replica]:
    if issubclass(strategy, Aside):
        async with open_aside(database_url, redis_url, ttl_seconds=plan.ttl_seconds) as aside:
            await eventually(lambda: _answers_from_the_cache(aside))
            yield aside
        return
    naive = strategy(
        await Rows.open(database_url, connections=plan.connections), Pipes(redis_url), ttl_seconds=plan.ttl_seconds
    )
    try:
        yield naive
    finally:
        await naive.close()


async def _answers_from_the_cache(aside: Aside) -> bool:
    return (await aside.read("key-0")).is_hit
