"""Warming on real servers: what is in the cache afterwards, what is left alone, what is told of it."""

from __future__ import annotations

import asyncio
import gc
import json

import pytest

from service.cache.codec import decode
from service.cache.entry import Outcome
from service.cache.policy import Policy
from service.domain.entity import EntityKey
from service.errors import CacheUnavailableError, DatabaseBusyError
from service.services.warming import Tally, Wanted
from tests.support.polling import turns
from tests.support.replica import KIND
from tests.support.waiting import eventually
from tests.support.warmings import begin_warming, warming_of

ROWS = """
INSERT INTO entity (entity_type, id, body, cache_ttl_seconds)
SELECT 'thing', 'row-' || lpad(n::text, 4, '0'), jsonb_build_object('n', n), CASE WHEN n % 2 = 0 THEN 60 END
FROM generate_series(1, $1::int) n
"""


async def held(world):
    """All that the cache holds: the bytes by their key."""
    keys = await world.redis("KEYS", "cache:*")
    return {key: (await world.redis("GET", key)).encode() for key in keys}


async def leases(world):
    return [key for key, raw in (await held(world)).items() if raw.startswith(b"L1 ")]


async def test_every_row_is_a_hit_afterwards_with_its_bytes_its_version_and_a_lifetime_of_its_own(world, warmer):
    await world.sql(ROWS, 250)
    policy = Policy(ttl_seconds=300, jitter=0.1)
    told = []
    tally = await warming_of(warmer, lanes=3, page_size=40, policy=policy).run(
        Wanted(), on_progress=lambda tally, _: told.append(tally)
    )
    assert tally == Tally(rows=250, installed=250)
    assert told[-1] == tally
    assert [each.rows for each in told] == sorted(each.rows for each in told)
    rows = {row["id"]: row for row in await world.sql("SELECT id, body::text, version FROM entity")}
    ends = set()
    for entity_id, row in rows.items():
        answer = await warmer.get(entity_id)
        assert (answer.outcome, answer.version) == (Outcome.HIT, row["version"])
        assert answer.body == row["body"].encode()
        entry = decode((await world.redis("GET", f"cache:thing:{entity_id}")).encode(), f"thing:{entity_id}")
        lifetime = entry.fresh_until_ms - entry.written_at_ms
        own_ms = 60_000 if json.loads(row["body"])["n"] % 2 == 0 else 300_000
        assert 0.9 * own_ms <= lifetime <= own_ms
        ends.add(entry.fresh_until_ms)
    assert len(ends) > 100, "what was filled together expires together"


async def test_what_is_cached_already_is_left_as_it_is(world, warmer):
    await world.sql(ROWS, 10)
    await warmer.read("row-0003")
    before = await held(world)
    assert await warming_of(warmer).run(Wanted()) == Tally(rows=10, installed=9, present=1)
    assert before.items() <= (await held(world)).items()


async def test_a_second_warming_finds_everything_there_and_asks_for_no_row(world, warmer):
    await world.sql(ROWS, 10)
    await warming_of(warmer).run(Wanted())
    queries = warmer.source.queries
    assert await warming_of(warmer).run(Wanted()) == Tally(rows=10, present=10)
    assert warmer.source.queries == queries


async def test_only_the_ids_with_the_prefix_are_warmed(world, warmer):
    await world.sql(ROWS, 120)
    assert await warming_of(warmer, page_size=7).run(Wanted(prefix="row-001")) == Tally(rows=10, installed=10)
    assert set(await held(world)) == {f"cache:thing:row-001{n}" for n in range(10)}


async def test_only_the_types_that_are_named_are_warmed(world, warmer):
    await world.sql(
        "INSERT INTO entity (entity_type, id, body) VALUES ('a', 'x', '1'), ('b', 'x', '1'), ('c', 'x', '1')"
    )
    assert await warming_of(warmer).run(Wanted(entity_types=("a", "c", "nothing"))) == Tally(rows=2, installed=2)
    assert set(await held(world)) == {"cache:a:x", "cache:c:x"}
    assert await warming_of(warmer).run(Wanted()) == Tally(rows=3, installed=1, present=2)


async def test_of_the_ids_that_are_named_those_that_do_not_exist_are_cached_as_absent(world, warmer):
    await world.sql(ROWS, 3)
    await world.sql("DELETE FROM entity WHERE id = 'row-0002'")
    await world.relay.carry()
    names = ("row-0001", "row-0002", "never", "row-0001")
    wanted = Wanted(keys=tuple(EntityKey(KIND, each) for each in names))
    assert await warming_of(warmer).run(wanted) == Tally(rows=3, installed=1, absent=2)
    for gone in ("row-0002", "never"):
        assert (await warmer.get(gone)).outcome is Outcome.NEGATIVE_HIT


async def test_a_row_that_is_deleted_after_it_was_listed_is_cached_as_absent(world, warmer):
    await world.sql(ROWS, 3)
    warmer.gates.loading.hold()
    warming = begin_warming(warmer, "row-0001", "row-0002")
    await warmer.gates.loading.reached()
    await world.sql("DELETE FROM entity WHERE id = 'row-0002'")
    warmer.gates.loading.release()
    assert await warming == Tally(rows=2, installed=1, absent=1)
    assert await warmer.read("row-0002") is None


async def test_tombstones_are_passed_over_page_by_page(world, warmer):
    await world.sql(ROWS, 50)
    await world.sql("DELETE FROM entity WHERE id < 'row-0045'")
    await world.relay.carry()
    assert await warming_of(warmer, page_size=4).run(Wanted()) == Tally(rows=6, installed=6)
    assert len(await held(world)) == 6


async def test_without_a_heartbeat_nothing_is_written(world, warmer):
    await world.sql(ROWS, 3)
    await world.redis("DEL", "aside:hb")
    with pytest.raises(CacheUnavailableError, match="no heartbeat"):
        await warming_of(warmer).run(Wanted())
    assert await held(world) == {}


async def test_a_heartbeat_that_dies_in_the_middle_ends_it_and_no_lease_is_left(world, warmer):
    await world.sql(ROWS, 3)
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer, "row-0001")
    await warmer.gates.loaded.reached()
    await world.redis("DEL", "aside:hb")
    with pytest.raises(CacheUnavailableError, match="no heartbeat"):
        await warming_of(warmer).run(Wanted())
    warmer.gates.loaded.release()
    await warming
    assert await leases(world) == []


async def test_with_patience_it_goes_on_when_the_heartbeat_is_back(world, warmer):
    await world.sql(ROWS, 3)
    warmer.gates.loaded.hold(1)
    task = asyncio.create_task(warming_of(warmer, page_size=1, patience_seconds=60).run(Wanted()))
    await warmer.gates.loaded.reached()
    await world.redis("FLUSHALL")
    warmer.gates.loaded.release()
    await eventually(lambda: warmer.recorder.count("cache_call", "warm") > 4)
    await world.relay.carry()
    assert await task == Tally(rows=3, installed=2, refused=1)


async def test_a_page_that_cannot_be_read_gives_its_leases_back(world, warmer, caplog):
    await world.sql(ROWS, 3)

    async def refuse(keys):
        assert f"cache:thing:{keys[0].id}" in await leases(world)
        raise DatabaseBusyError("PostgreSQL is too busy")

    warmer.source.load = refuse
    with pytest.raises(DatabaseBusyError):
        await warming_of(warmer, lanes=3, page_size=1).run(Wanted())
    assert await held(world) == {}
    gc.collect()
    assert caplog.text == "", "a failure that nobody asked for is told at the end of its task"


async def test_a_cancelled_warming_takes_no_further_page(world, warmer):
    await world.sql(ROWS, 30)
    warmer.gates.loaded.hold()
    task = asyncio.create_task(warming_of(warmer, lanes=2, page_size=5).run(Wanted()))
    await warmer.gates.loaded.reached()
    task.cancel()
    await turns()
    warmer.gates.loaded.release()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await leases(world) == []
    assert len(await held(world)) in (5, 10)


async def test_several_pages_are_leased_while_one_is_read(world, warmer):
    await world.sql(ROWS, 30)
    wanted = Wanted(keys=tuple(EntityKey(KIND, f"row-{n:04}") for n in range(1, 31)))
    warmer.gates.loading.hold()
    task = asyncio.create_task(warming_of(warmer, lanes=3, page_size=10).run(wanted))

    async def all_are_leased():
        return len(await leases(world)) == 30

    await eventually(all_are_leased)
    await turns()
    assert warmer.source.running == 1
    warmer.gates.loading.release()
    assert await task == Tally(rows=30, installed=30)
    assert warmer.source.most_at_once == 1


async def test_a_rate_makes_pages_small(world, warmer):
    await world.sql(ROWS, 30)
    told = []
    await warming_of(warmer).run(Wanted(), rows_per_second=50, on_progress=lambda tally, _: told.append(tally))
    assert [each.rows for each in told] == [5, 10, 15, 20, 25, 30]


async def test_the_estimate_follows_the_statistics(world, warmer):
    await world.sql(ROWS, 400)
    await world.sql("ANALYZE entity")
    warming = warming_of(warmer)
    assert 300 <= await warming.about_how_many(Wanted()) <= 500
    assert await warming.about_how_many(Wanted(prefix="row-03")) < 200
    assert await warming.about_how_many(Wanted(keys=(EntityKey(KIND, "x"),))) == 1


async def test_rows_are_counted_as_far_as_it_matters_whatever_the_statistics_say(world, warmer):
    await world.sql("ANALYZE entity")
    await world.sql(ROWS, 30)
    warming = warming_of(warmer)
    assert await warming.are_more_than(29, Wanted())
    assert not await warming.are_more_than(31, Wanted())
    assert not await warming.are_more_than(10, Wanted(prefix="row-001"))
    assert await warming.are_more_than(9, Wanted(prefix="row-001"))
    assert await warming.are_more_than(0, Wanted(keys=(EntityKey(KIND, "x"),)))
