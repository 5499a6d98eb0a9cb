"""The table in the small. Of the naive strategies only what is forced by hand is demanded, never what luck brings."""

from __future__ import annotations

import asyncio

import pytest

from tests.naive.aside import Aside
from tests.naive.leg import run_leg
from tests.naive.link import Link
from tests.naive.pipe import Pipes
from tests.naive.plan import Kind, Plan
from tests.naive.rows import Row, Rows
from tests.naive.strategies import CacheAside, DeleteAfterCommit, DoubleDelete, VersionOnly, WriterDiedError
from tests.support.registers import Behind, Registers, Stale

TTL_SECONDS = 60.0


class GatedRows(Rows):
    """A load stops when it has its row, until `go` is set."""

    loaded: asyncio.Event
    go: asyncio.Event

    async def load(self, key: str) -> Row:
        row = await super().load(key)
        self.loaded.set()
        await self.go.wait()
        return row


@pytest.fixture
async def rows(database_url):
    rows = await GatedRows.open(database_url, connections=3)
    rows.loaded, rows.go = asyncio.Event(), asyncio.Event()
    await rows.insert(["x"], ["{}"])
    yield rows
    rows.close()


@pytest.fixture
async def pipes(redis_url):
    pipes = Pipes(redis_url)
    yield pipes
    pipes.close()


@pytest.mark.parametrize("with_failures", [False, True], ids=["calm", "with failures"])
def test_aside_returns_nothing_stale(with_failures, database_url, valkey_factory):
    plan = Plan(operations=6_000, workers=100, fault_every=2_000)
    found = asyncio.run(
        run_leg(Aside, plan, database_url=database_url, valkey=valkey_factory(), with_failures=with_failures)
    )
    assert found.reads + found.writes + found.plain_sql + found.died + found.failures.total() == plan.operations
    assert found.reads > 5_000
    assert found.stale_reads == 0
    assert found.wrong == 0


@pytest.mark.parametrize("strategy", [DeleteAfterCommit, DoubleDelete])
async def test_a_fill_that_a_write_overtakes_is_found(strategy, rows, pipes):
    """
    Reader 1:  misses ── loads 1 ............................ SETs 1
    writer:                       commits 2 ── DEL ── acked
    reader 2:                                                         hits 1
    """
    replica, registers = strategy(rows, pipes, ttl_seconds=TTL_SECONDS), Registers(bound_seconds=2)
    reader = asyncio.create_task(replica.read("x"))
    await rows.loaded.wait()
    registers.acknowledged("x", await replica.write("x", "{}"))
    rows.go.set()
    await reader
    stale = await judged_read(replica, registers)
    assert stale is not None
    assert stale.behind is Behind.WRITE


async def test_a_reader_that_goes_around_the_cache_is_overtaken_by_nobody_unnoticed(rows, redis_url, pipes):
    """
    Writer:                       commits 2 ── dies
    reader 1, Redis out of reach:                   loads 2 ── answers 2
    reader 2:                                                             hits 1
    """
    rows.go.set()
    replica, registers = VersionOnly(rows, pipes, ttl_seconds=TTL_SECONDS), Registers(bound_seconds=2)
    await replica.read("x")
    with pytest.raises(WriterDiedError):
        await replica.write("x", "{}", dies=True)
    async with Link.to(redis_url, seed=1) as link:
        link.cut()
        assert await judged_read(VersionOnly(rows, Pipes(link.url), ttl_seconds=TTL_SECONDS), registers) is None
    stale = await judged_read(replica, registers)
    assert stale is not None
    assert stale.behind is Behind.READ


async def test_an_entry_that_outlives_a_write_is_found(rows, pipes):
    rows.go.set()
    replica, registers = CacheAside(rows, pipes, ttl_seconds=TTL_SECONDS), Registers(bound_seconds=2)
    await replica.read("x")
    registers.acknowledged("x", await replica.write("x", "{}"))
    assert await judged_read(replica, registers) is not None


async def judged_read(replica: CacheAside, registers: Registers) -> Stale | None:
    floors = registers.begin("x")
    return registers.answered("x", floors, (await replica.read("x")).version)


def test_all_strategies_meet_the_same_work_and_the_same_faults():
    plan = Plan(operations=20_000)
    work = list(plan.work(with_failures=True))
    assert work == list(plan.work(with_failures=True))
    assert plan.faults() == plan.faults()
    assert len(plan.faults()) == pytest.approx(20_000 / plan.fault_every, abs=2)
    reads = sum(operation.kind is Kind.READ for operation in work)
    assert reads / len(work) == pytest.approx(0.9, abs=0.01)
    assert any(operation.dies for operation in work)
