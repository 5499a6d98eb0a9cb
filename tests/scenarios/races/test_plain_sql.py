"""Races with people who write plain SQL: what they do is seen, and is never seen twice in the wrong order."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import NO_WISH, Outcome, Wish
from service.domain.entity import EntityKey
from service.wiring import open_services
from tests.support.databases import execute_sql
from tests.support.recording import Recording
from tests.support.replica import KIND, replica_settings
from tests.support.waiting import eventually
from tests.support.world import WRITE_THROUGH

INSERT = "INSERT INTO entity (entity_type, id, body) VALUES ('thing', $1, '{\"n\": 2}')"
UPDATE = "UPDATE entity SET body = '{\"n\": 2}' WHERE id = $1"
DELETE = "DELETE FROM entity WHERE id = $1"
RENAME = "UPDATE entity SET id = $2 WHERE id = $1"
TRUNCATE = "TRUNCATE entity"
ANOTHER_TABLE = """
DO $do$ BEGIN
    ALTER TABLE entity RENAME TO lost;
    CREATE TABLE entity (LIKE lost INCLUDING ALL);
END $do$
"""
TAKEN_AWAY = pytest.mark.parametrize("away", [TRUNCATE, ANOTHER_TABLE], ids=["truncated", "another table"])
RESTORE = """
DO $do$ BEGIN
    ALTER TABLE entity RENAME TO lost;
    CREATE TABLE entity (LIKE lost INCLUDING ALL);
    INSERT INTO entity (entity_type, id, body, version, created_at, updated_at)
    VALUES ('thing', 'x', '{"n": 2}', 1, now(), now());
END $do$
"""


@pytest.fixture
async def seen(world):
    """A replica that has 1 in its cache, by the name of x, and knows that there is no y; the relay has seen it all."""
    replica = await world.replica()
    await replica.put(1)
    assert await replica.read() == 1
    assert await replica.read("y") is None
    assert (await replica.get("y")).outcome is Outcome.NEGATIVE_HIT
    await world.relay.carry()
    return replica


async def test_r15_a_plain_update_is_seen_after_the_next_poll(world, seen):
    await world.sql(UPDATE, "x")
    await world.relay.carry()
    assert await seen.read() == 2


async def test_r15_a_plain_delete_is_seen_after_the_next_poll(world, seen):
    await world.sql(DELETE, "x")
    await world.relay.carry()
    assert await seen.read() is None


async def test_r15_a_plain_insert_is_seen_after_the_next_poll(world, seen):
    await world.sql(INSERT, "y")
    await world.relay.carry()
    assert await seen.read("y") == 2


async def test_r15_a_plain_delete_and_insert_is_seen_after_the_next_poll(world, seen):
    await world.sql(DELETE, "x")
    await world.sql(INSERT, "x")
    await world.relay.carry()
    assert await seen.read() == 2


async def test_r15_a_plain_upsert_is_seen_after_the_next_poll(world, seen):
    await world.sql(f"{INSERT} ON CONFLICT (entity_type, id) DO UPDATE SET body = EXCLUDED.body", "x")
    await world.relay.carry()
    assert await seen.read() == 2


async def test_r15_a_rename_is_seen_under_both_names_after_the_next_poll(world, seen):
    await world.sql(RENAME, "x", "y")
    await world.relay.carry()
    assert await seen.read() is None
    assert await seen.read("y") == 1


async def test_r15_a_rename_onto_a_name_that_was_deleted_is_as_good_as_an_insert(world, seen):
    """A tombstone gives way: what looks empty to plain SQL is empty."""
    await world.sql(RENAME, "x", "y")
    await world.sql(RENAME, "y", "x")
    await world.relay.carry()
    assert await seen.read() == 1
    assert await seen.read("y") is None


async def test_r15_a_truncate_is_seen_after_the_next_poll(world, seen):
    await world.sql("TRUNCATE entity")
    await world.relay.carry()
    assert await seen.read() is None


async def test_r15_what_a_truncate_took_away_is_not_read_by_who_writes_after_it(world, seen):
    await world.sql("TRUNCATE entity")
    await seen.put(3)
    assert await seen.read() == 3
    await world.relay.carry()
    assert await seen.read() == 3


async def test_r15_a_restored_table_is_seen_after_the_next_poll(world, seen):
    """Its versions may be those of the past: nothing cached before can be compared with them."""
    await world.sql(RESTORE)
    await world.relay.carry()
    assert await seen.read() == 2


async def test_r15_changes_that_somebody_threw_away_are_not_missed(world, seen):
    """What the relay has not read yet is gone: all that is cached belongs to the past."""
    await world.sql(UPDATE, "x")
    await world.sql("TRUNCATE change")
    await world.relay.carry()
    assert await seen.read() == 2


async def test_r15_a_plain_update_that_one_reader_has_seen_is_seen_by_all(world, seen):
    """
    SQL:       commits 2
    reader B:              lease busy, or no-cache: loads 2 ── repairs ── answers 2
    reader A:                                                                         must not hit 1
    """
    b = await world.replica()
    await world.redis("DEL", "cache:thing:x")
    seen.gates.loaded.hold()
    reader = seen.begin_read()
    await seen.gates.loaded.reached()
    await world.sql(UPDATE, "x")
    assert await b.read() == 2
    seen.gates.loaded.release()
    await reader
    assert await seen.read() == 2


@TAKEN_AWAY
async def test_r15_a_truncate_that_one_reader_has_seen_is_seen_by_all(world, seen, away):
    """
    Reader A:  lease ── loads 1 ──────────────────────────────────────────────────────────── fill 1: must be refused
    SQL:                          takes all away
    reader B:                                 lease busy ── loads "nothing" ── repairs, answers
    reader C:                                                                                                  not 1
    """
    b = await world.replica()
    await world.redis("DEL", "cache:thing:x")
    seen.gates.loaded.hold()
    reader = seen.begin_read()
    await seen.gates.loaded.reached()
    await world.sql(away)
    assert await b.read() is None
    seen.gates.loaded.release()
    assert await reader == 1
    assert await b.read() is None


@TAKEN_AWAY
async def test_r15_a_truncate_that_a_reader_around_the_cache_has_seen_is_seen_by_all(world, seen, away):
    """
    cache:     holds 1
    SQL:                  takes all away
    reader B:                         asks for no-cache: loads "nothing" ── repairs, answers
    reader A:                                                                                 must not hit 1
    """
    b = await world.replica()
    await b.read()
    await world.sql(away)
    assert (await b.get(wish=Wish(no_cache=True))).body is None
    assert await seen.read() is None


async def test_r15_a_late_write_through_does_not_go_over_what_a_truncate_left(world):
    """
    Writer A:  commits 2 ───────────────────────────────────────────── applies 2
    SQL:                  truncates
    reader B:                       finds nothing, caches that, answers             must not hit 2
    """
    a, b = await world.replica(policy=WRITE_THROUGH), await world.replica()
    await a.put(1)
    assert await b.read() == 1
    a.gates.committed.hold()
    writing = a.begin_put(2)
    await a.gates.committed.reached()
    await world.sql("TRUNCATE entity")
    assert (await b.get(wish=Wish(no_cache=True))).body is None
    assert await b.read() is None
    assert (await world.cached()).startswith("N1 ")
    a.gates.committed.release()
    await writing
    assert await b.read() is None
    assert await a.read() is None


async def test_r15_a_past_generation_is_not_brought_back_by_a_late_script(world, seen):
    """
    Relay 1:  polls ........................................................... its script arrives: superseded
    SQL:              TRUNCATE
    relay 2:                      leads, polls, grants the next generation
    reader:                                                                 reads "nothing" ──────── must not hit 1
    """
    old = world.relay
    old.granting.hold()
    poll = asyncio.create_task(old.poll())
    await old.granting.reached()
    await world.sql("TRUNCATE entity")
    await world.lead()
    await world.relay.carry()
    b = await world.replica()
    assert await b.read("z") is None
    old.granting.release()
    await asyncio.gather(poll, return_exceptions=True)
    assert await seen.read() is None


async def test_r15_a_fill_of_a_past_generation_is_not_read_in_the_next(world, seen):
    """
    Reader A:  lease ── loads 1 ──────────────────────────────── fills 1, labelled with the generation of its lease
    SQL:                          TRUNCATE
    relay:                                    grants the next
    reader B:                                                                                       must not hit 1
    """
    b = await world.replica()
    await world.redis("DEL", "cache:thing:x")
    seen.gates.loaded.hold(1)
    reader = seen.begin_read()
    await seen.gates.loaded.reached()
    await world.sql("TRUNCATE entity")
    await world.relay.carry()
    assert await seen.read("z") is None
    seen.gates.loaded.release()
    await reader
    assert await b.read() is None


async def test_r15_a_table_put_back_in_its_place_is_not_read_as_it_was_cached_before(world, seen):
    """
    SQL:    puts another table in its place ........ updates the old one, puts it back
    relay:                                    polls                                     another leader polls
    reader:                                                                                  must not hit 1
    """
    await world.sql(RESTORE)
    await world.relay.carry()
    await world.sql("UPDATE lost SET body = '{\"n\": 2}' WHERE id = 'x'")
    await world.sql("DROP TABLE entity")
    await world.sql("ALTER TABLE lost RENAME TO entity")
    await world.lead()
    await world.relay.carry()
    assert await seen.read() == 2


async def test_r15_a_restored_table_does_not_switch_the_cache_off(database_url, redis_url):
    """
    replica:   leads, trusts the heartbeats of the table's history
    SQL:                                                             puts another table in its place
    relay:                                                                                           grants for that
    replica:                                                                                          must trust it
    """
    settings = replica_settings(database_url, redis_url, bound_seconds=0.5)
    key = EntityKey(KIND, "x")
    async with open_services(settings, Recording()) as services:

        async def hit() -> bool:
            return (await services.entities.get(key, NO_WISH)).outcome in {Outcome.HIT, Outcome.NEGATIVE_HIT}

        await eventually(hit)
        await asyncio.to_thread(execute_sql, database_url, RESTORE)

        async def hit_again() -> bool:
            return await hit() and (await services.entities.get(key, NO_WISH)).body == b'{"n": 2}'

        await eventually(hit_again, within_seconds=4)
