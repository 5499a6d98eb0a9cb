"""Races in which a client writes back what it has read, and somebody was faster."""

from __future__ import annotations

import asyncio

import pytest

from service.db.entities import EntityTable
from service.domain.entity import EntityKey, WriteCondition
from service.errors import PreconditionFailedError
from tests.support.replica import KIND

KEY = EntityKey(KIND, "x")


async def test_r26_what_was_read_from_the_cache_is_not_written_back_over_something_newer(world):
    """
    client:  reads 1 from the cache ─────────────── puts 3, If-Match the version of 1: refused
    SQL:                               commits 2
    cache:   still holds 1
    """
    a = await world.replica()
    await a.put(1)
    await a.read()
    read = await a.get()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    assert (await a.get()).version == read.version
    condition = WriteCondition(if_match=frozenset({read.version}))
    with pytest.raises(PreconditionFailedError):
        await a.put(3, condition=condition)
    await world.relay.carry()
    assert await a.read() == 2


@pytest.mark.parametrize("what", ["patch", "delete"])
async def test_r26_what_was_read_from_the_cache_is_not_patched_or_deleted_in_a_newer_state(world, what):
    a = await world.replica()
    await a.put(1)
    await a.read()
    read = await a.get()
    await world.sql("UPDATE entity SET body = '{\"n\": 2}' WHERE id = 'x'")
    condition = WriteCondition(if_match=frozenset({read.version}))
    write = {
        "patch": lambda: a.entities.patch(KEY, b'{"m": 3}', condition=condition, ttl_seconds=None, wait=True),
        "delete": lambda: a.entities.delete(KEY, condition=condition, wait=True),
    }
    with pytest.raises(PreconditionFailedError):
        await write[what]()
    await world.relay.carry()
    assert await a.read() == 2


@pytest.mark.parametrize("what", ["put", "patch", "delete"])
async def test_r26_of_two_writers_that_read_the_same_one_is_refused(world, what):
    """
    Transaction T:  locks the row ───────────────────────────── lets go
    writer A:                        If-Match v, waits ................. commits
    writer B:                        If-Match v, waits ................. finds another version: refused
    """
    a, b = await world.replica(), await world.replica()
    condition = WriteCondition(if_match=frozenset({(await a.put(1)).row.version}))
    t = await world.connect()
    await t.execute("BEGIN; SELECT FROM entity WHERE id = 'x' FOR UPDATE")
    writers = [asyncio.create_task(_write(replica.table, what, condition)) for replica in (a, b)]
    await world.until_somebody_waits_for_a_lock(2)
    await t.execute("COMMIT")
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert sum(isinstance(result, PreconditionFailedError) for result in results) == 1


async def test_r26_of_two_writers_that_create_the_same_one_is_refused(world):
    """`If-None-Match: *`, twice at once."""
    a, b = await world.replica(), await world.replica()
    condition = WriteCondition(must_be_absent=True)
    results = await asyncio.gather(a.put(1, condition=condition), b.put(2, condition=condition), return_exceptions=True)
    assert sum(isinstance(result, PreconditionFailedError) for result in results) == 1


async def _write(table: EntityTable, what: str, condition: WriteCondition) -> object:
    match what:
        case "put":
            return await table.put(KEY, '{"n": 2}', condition=condition, ttl_seconds=None)
        case "patch":
            return await table.patch(KEY, '{"n": 2}', condition=condition, ttl_seconds=None)
        case _:
            return await table.delete(KEY, condition=condition)
