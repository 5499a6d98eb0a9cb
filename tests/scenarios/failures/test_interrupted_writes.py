"""Writes that cannot tell the cache: their process dies between commit and apply (R5), or Valkey is away (R6)."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from service.embedded import Valkey
from tests.support.checker import violations
from tests.support.figures import show
from tests.support.load import Operation, Traffic, quantiles, reads, unanswered, writes
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually, lasting

BOUND_SECONDS = 1.0
MACHINE_SECONDS = 0.5


async def test_nobody_reads_the_old_value_when_the_writer_was_killed_between_commit_and_apply(
    pair: list[ServiceProcess], pair_valkey: Valkey, pair_database_url: str
) -> None:
    writer, reader = pair
    database = await asyncpg.connect(pair_database_url)
    current = "SELECT version FROM entity WHERE id = 'orphan'"
    async with Traffic([writer.url, reader.url]) as traffic:
        await traffic.until_cached()
        await traffic.write("orphan", replica=0)
        await eventually(lambda: is_hit(traffic, "orphan", replica=1))
        old = await database.fetchval(current)

        pair_valkey.pause()
        # Once the writer has given up on Valkey it does not even send the apply, which would wait there for its end.
        await eventually(lambda: is_off(traffic, "unrelated", replica=0))
        interrupted = asyncio.create_task(traffic.write("orphan", replica=0))
        new = await eventually(lambda: changed(database, current, old), step_seconds=0.002)
        writer.kill()
        killed = time.monotonic()
        pair_valkey.resume()
        answered = await interrupted
        traffic.urls.pop(0)
        async with traffic.hammering(["orphan"], readers=6):
            await lasting(BOUND_SECONDS + 1)
        await eventually(lambda: is_hit(traffic, "orphan", replica=0))
    await database.close()

    after = [read for read in reads(traffic.history) if read.began > killed]
    old_ones = [read.began - killed for read in after if read.version == old]
    show(f"\nold value read {len(old_ones)} times after the kill, last after {max(old_ones, default=0) * 1000:.0f} ms")
    assert answered.status == 0  # it was never acknowledged
    assert {read.version for read in after} <= {old, new}
    assert max(old_ones, default=0) <= BOUND_SECONDS
    assert after[-1].version == new
    assert violations(traffic.history) == []
    assert unanswered(after) == []


async def is_hit(traffic: Traffic, key: str, *, replica: int) -> bool:
    return (await traffic.read(key, replica=replica)).outcome == "hit"


async def is_off(traffic: Traffic, key: str, *, replica: int) -> bool:
    return (await traffic.read(key, replica=replica)).outcome == "off"


async def changed(database: asyncpg.Connection, query: str, old: int) -> int:
    version: int = await database.fetchval(query)
    return version if version != old else 0


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_in_an_outage_only_the_writes_of_the_first_b_wait(
    pair: list[ServiceProcess], pair_valkey: Valkey, how: str
) -> None:
    keys = [f"away-{number}" for number in range(6)]
    impatient: list[Operation] = []
    async with Traffic([replica.url for replica in pair]) as traffic:
        await traffic.until_cached()
        for key in keys:
            await traffic.write(key)
            await traffic.read(key)
        traffic.history.clear()
        pair_valkey.kill() if how == "killed" else pair_valkey.pause()
        gone = time.monotonic()
        async with traffic.hammering(keys, readers=4, writers=4, pause_seconds=0.02):
            while time.monotonic() < gone + 3 * BOUND_SECONDS:
                impatient.append(await traffic.write("impatient", headers={"Prefer": "respond-async"}))
                await lasting(0.05)
        pair_valkey.start() if how == "killed" else pair_valkey.resume()
        await traffic.until_cached()
        async with traffic.hammering(keys, readers=4):
            await lasting(0.3)

    patient = [write for write in writes(traffic.history) if write.key != "impatient"]
    first = [write for write in patient if write.began <= gone + BOUND_SECONDS]
    later = [write for write in patient if write.began > gone + BOUND_SECONDS * 1.25 + 0.1]
    show(f"\n{how}: writes of the first B {quantiles([write.seconds for write in first])}")
    show(f"later writes {quantiles([write.seconds for write in later])}")
    show(f"respond-async {quantiles([write.seconds for write in impatient])}")
    assert violations(traffic.history) == []
    assert unanswered(traffic.history) == []
    assert all(write.headers["aside-cache"] == "deferred" for write in [*first, *later, *impatient])
    assert max(write.seconds for write in first) <= BOUND_SECONDS + MACHINE_SECONDS
    assert max(write.seconds for write in first) > BOUND_SECONDS / 2
    assert max(write.seconds for write in later) <= MACHINE_SECONDS
    assert max(write.seconds for write in impatient) <= MACHINE_SECONDS
