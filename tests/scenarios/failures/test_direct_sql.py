"""What others write with plain SQL is seen within B, and never unseen again."""

from __future__ import annotations

import asyncio
import json
import time

import asyncpg

from tests.support.checker import violations
from tests.support.figures import show
from tests.support.load import Operation, Traffic, quantiles, unanswered
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually, lasting

BOUND_SECONDS = 1.0
MACHINE_SECONDS = 0.5
LANES, ROUNDS = 5, 20


async def cached(traffic: Traffic, key: str) -> None:
    """Until both replicas answer out of the cache."""

    async def both_hit() -> bool:
        return {(await traffic.read(key, replica=number)).outcome for number in (0, 1)} == {"hit"}

    await eventually(both_hit)


async def test_a_hundred_plain_updates_are_each_seen_within_b(
    pair: list[ServiceProcess], pair_database_url: str
) -> None:
    delays: list[float] = []
    database = await asyncpg.create_pool(pair_database_url, min_size=LANES, max_size=LANES)
    async with Traffic([replica.url for replica in pair], clients=2) as traffic:
        await traffic.until_cached()

        async def lane(key: str) -> None:
            await traffic.write(key)
            for number in range(ROUNDS):
                await cached(traffic, key)
                body = json.dumps({"plain": number})
                version = await database.fetchval(
                    "UPDATE entity SET body = $2::text::jsonb WHERE id = $1 RETURNING version", key, body
                )
                committed = time.monotonic()

                async def seen(version: int = version) -> bool:
                    return ((await traffic.read(key)).version or 0) >= version

                await eventually(seen, within_seconds=BOUND_SECONDS + MACHINE_SECONDS, step_seconds=0.002)
                delays.append(time.monotonic() - committed)

        async with traffic.hammering([f"sql-{number}" for number in range(LANES)], readers=4):
            await asyncio.gather(*[lane(f"sql-{number}") for number in range(LANES)])
        await database.close()

    show(f"\nfrom the commit of a plain UPDATE to the first read that shows it: {quantiles(delays)}")
    assert len(delays) == LANES * ROUNDS
    assert violations(traffic.history) == []
    assert unanswered(traffic.history) == []


async def test_plain_insert_delete_and_truncate_are_seen_within_b_and_for_good(
    pair: list[ServiceProcess], pair_database_url: str
) -> None:
    keys = [f"plain-{number}" for number in range(5)]
    database = await asyncpg.connect(pair_database_url)
    async with Traffic([replica.url for replica in pair]) as traffic:
        await traffic.until_cached()
        for key in keys:
            await cached(traffic, key)  # that there is nothing

        async def shown_by_all(status: int, text: str) -> None:
            """After B, whoever is asked: a read is not late only because the one before it was lucky."""
            started = time.monotonic()

            async def shown() -> bool:
                answers = [await traffic.read(key) for key in keys]
                return {answer.status for answer in answers} == {status} and all_with(text, answers)

            await eventually(shown, within_seconds=BOUND_SECONDS + MACHINE_SECONDS)
            show(f"{status} {text}: {(time.monotonic() - started) * 1000:.0f} ms")
            traffic.history.clear()
            async with traffic.hammering(keys, readers=4):
                await lasting(BOUND_SECONDS)
            assert {answer.status for answer in traffic.history} == {status}
            assert all_with(text, traffic.history)

        insert = "INSERT INTO entity (entity_type, id, body) SELECT 'thing', unnest($1::text[]), $2::text::jsonb"
        await database.execute(insert, keys, '"first"')
        await shown_by_all(200, "first")
        await database.execute("DELETE FROM entity WHERE id = ANY ($1)", keys)
        await shown_by_all(404, "")
        await database.execute(insert, keys, '"second"')
        await shown_by_all(200, "second")
        await database.execute("TRUNCATE entity")
        await shown_by_all(404, "")
        await database.execute(insert, keys, '"third"')
        await shown_by_all(200, "third")
    await database.close()


def all_with(text: str, answers: list[Operation]) -> bool:
    return all(text in answer.body.decode() for answer in answers)
