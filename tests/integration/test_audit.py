"""The audit on real servers: what is stale is found, told and mended; nothing else ever is an alarm."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from service.cache.entry import Outcome
from service.cache.grants import Granted
from service.domain.entity import EntityKey
from tests.support.auditing import BOUND_SECONDS, HandAudit, plant, running
from tests.support.waiting import eventually
from tests.support.world import WRITE_THROUGH, World, open_world


@pytest.fixture
async def world(database_url: str, redis_url: str):
    """The heartbeat outlives the test."""
    async with open_world(database_url, redis_url) as world:
        yield world


async def a_row(world: World, number: int = 1) -> int:
    """Plain SQL; returns the version."""
    [record] = await world.sql(
        "INSERT INTO entity (entity_type, id, body) VALUES ('thing', 'x', to_jsonb($1::int)) "
        "ON CONFLICT (entity_type, id) DO UPDATE SET body = excluded.body RETURNING version",
        number,
    )
    return int(record["version"])


# -- what is stale ---------------------------------------------------------------------------------------------------


async def test_a_stale_entry_is_found_told_once_with_its_age_and_mended(world: World) -> None:
    audit = HandAudit(replica := await world.replica())
    old, new = await a_row(world, 1), await a_row(world, 2)
    await plant(world, old)
    assert (await replica.get()).outcome is Outcome.HIT  # the harm is real
    with capture_logs() as logs:
        await audit.judge()
    assert (audit.checked, audit.suspects, audit.stale) == (1, 1, 1)
    [told] = [line for line in logs if line["event"] == "audit_found_a_stale_entry"]
    assert (told["key"], told["cached_version"], told["row_version"]) == ("thing:x", old, new)
    assert told["log_level"] == "error"
    assert audit.recording.audit_ages[0] > BOUND_SECONDS
    assert await world.cached() is None
    assert (await replica.get()).version == new


async def test_the_same_stale_version_is_counted_once_however_often_it_comes_back(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    with capture_logs() as logs:
        for _ in range(3):
            await plant(world, old)
            await audit.judge()
            assert await world.cached() is None
    assert (audit.stale, len(audit.recording.audit_ages)) == (1, 3)
    assert len([line for line in logs if line["event"] == "audit_found_a_stale_entry"]) == 1


async def test_a_value_that_was_deleted_and_absence_that_has_ended_are_stale(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await plant(world, 0, body=None)
    await audit.judge()
    assert audit.stale == 1
    await world.sql("DELETE FROM entity")
    await plant(world, old)
    await audit.judge()
    assert audit.stale == 2
    assert await world.cached() is None


async def test_what_a_truncate_took_away_is_stale_while_it_is_still_vouched_for(world: World) -> None:
    """The world's heartbeat lives for a minute, which is longer than the audit's bound."""
    audit = HandAudit(replica := await world.replica())
    await a_row(world)
    await replica.get()
    await world.sql("TRUNCATE entity")
    await audit.judge()
    assert (audit.stale, await world.cached()) == (1, None)


async def test_a_stale_parameter_is_found_through_the_source_of_its_type(world: World) -> None:
    from service.db.parameters import ParameterTable

    audit = HandAudit(replica := await world.replica())
    parameters = ParameterTable(replica.table._database)
    audit.audit._source_of = lambda entity_type: {"parameter": parameters}[entity_type]
    body = '{"type": "integer", "value": 1}'
    [row] = await world.sql("INSERT INTO entity (entity_type, id, body) VALUES ('parameter', 'p', $1)"
                            " RETURNING version", body)  # fmt: skip
    await world.sql("UPDATE entity SET body = jsonb_set(body, '{value}', '2')")
    await plant(world, row["version"], kind="parameter", entity_id="p")
    await audit.judge()
    assert audit.recording.count("audit_stale", "parameter") == 1


async def test_a_stale_entry_that_cannot_be_mended_yet_is_mended_later(world: World) -> None:
    proxy = await world.proxy()
    audit = HandAudit(replica := await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    replica.redis.apply = (broken := await world.replica(redis_url=proxy.url)).redis.apply
    proxy.cut()
    await audit.judge()
    assert (audit.stale, await world.cached() is None) == (1, False)
    proxy.restore()
    await broken.beat()
    await audit.look_again()
    assert (audit.stale, await world.cached()) == (1, None)


# -- what is not -----------------------------------------------------------------------------------------------------


async def test_an_entry_that_no_live_heartbeat_vouches_for_is_no_alarm(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    await audit.sample()
    await world.redis("DEL", "aside:hb")
    await audit.look_again()
    assert (audit.suspects, audit.stale, audit.checked) == (1, 0, 0)
    await audit.judge()
    assert (audit.suspects, audit.stale, audit.checked) == (1, 0, 0)


async def test_an_entry_under_another_servers_heartbeat_is_no_alarm(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    _, _, generation = (await world.redis("GET", "aside:hb")).partition("|")
    await world.redis("SET", "aside:hb", f"{'0' * 40}|{generation}")
    await audit.judge()
    assert (audit.suspects, audit.stale, audit.checked) == (0, 0, 0)


async def test_an_entry_of_another_generation_is_no_alarm(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    for generation in ("elsewhere.1", "-", (await world.redis("GET", "aside:hb")).partition("|")[2] + "0"):
        await plant(world, old, generation=generation)
        await audit.judge()
    assert (audit.suspects, audit.stale, audit.checked) == (0, 0, 0)


async def test_a_truncate_between_the_looks_is_no_alarm(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    await audit.sample()
    await world.sql("TRUNCATE entity")
    assert await world.relay.poll() is Granted.GRANTED
    await audit.look_again()
    assert (audit.suspects, audit.stale) == (1, 0)


async def test_a_deletion_that_was_pruned_between_the_looks_is_no_alarm(world: World) -> None:
    """
    Audit:       sees 2 ─────────────────────────────────────────────────── the cache says "no row": was 2 older?
    PostgreSQL:            deletes ── prunes
    reader:                                   caches that there is no row, as version 0
    """
    audit = HandAudit(replica := await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    await audit.sample()
    await world.sql("DELETE FROM entity")
    await world.relay.carry()
    await world.relay.session.prune(changes_after_seconds=60, tombstones_after_seconds=0, at_most=10)
    assert (await replica.get()).version == 0
    assert (await replica.get()).outcome is Outcome.NEGATIVE_HIT
    await audit.look_again()
    assert (audit.suspects, audit.stale) == (1, 0)


async def test_a_commit_whose_apply_takes_less_than_the_bound_is_no_alarm(world: World) -> None:
    """
    Writer:  commits 2 ─────────────────────────────── applies
    audit:              sees 2, and 1 in the cache                looks again, after B
    """
    audit = HandAudit(replica := await world.replica(), bound_seconds=0.5)
    await replica.put(1)
    await replica.get()
    replica.gates.committed.hold()
    writing = replica.begin_put(2)
    await replica.gates.committed.reached()
    await audit.sample()
    replica.gates.committed.release()
    await writing
    await replica.get()
    await audit.look_again()
    assert (audit.suspects, audit.stale) == (1, 0)


async def test_no_suspect_is_judged_before_the_bound_is_over(world: World) -> None:
    audit = HandAudit(await world.replica(), bound_seconds=1.0)
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    await audit.sample()
    await audit.audit.look_again()
    assert (audit.suspects, audit.stale) == (1, 0)
    await audit.look_again()
    assert audit.stale == 1


async def test_a_row_written_between_the_looks_at_postgresql_and_the_cache_is_good(world: World) -> None:
    audit = HandAudit(replica := await world.replica(policy=WRITE_THROUGH))
    await replica.put(1)
    replica.gates.loaded.hold()
    sampling = asyncio.create_task(audit.sample())
    await replica.gates.loaded.reached()
    await replica.put(2)
    replica.gates.loaded.release()
    await sampling
    assert (audit.checked, audit.suspects) == (1, 0)


async def test_a_judgement_that_took_too_long_ends_without_a_result(world: World) -> None:
    audit = HandAudit(await world.replica(), give_up_seconds=BOUND_SECONDS)
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    await audit.judge()
    assert (audit.suspects, audit.stale) == (1, 0)


async def test_a_look_that_took_longer_than_the_bound_is_not_counted_as_good(world: World) -> None:
    audit = HandAudit(replica := await world.replica())
    await replica.put(1)
    await replica.get()
    replica.gates.loaded.hold()
    sampling = asyncio.create_task(audit.sample())
    await replica.gates.loaded.reached()
    await audit.look_again()  # so much time
    replica.gates.loaded.release()
    await sampling
    assert audit.checked == 0
    await audit.sample()
    assert audit.checked == 1


# -- what it draws ---------------------------------------------------------------------------------------------------


async def test_other_applications_keys_are_ignored(world: World) -> None:
    audit = HandAudit(replica := await world.replica())
    await replica.put(1)
    await replica.get()
    for key in ("cache:", "cache:x", "cache:User/1", "cache:thing:a b", "cache:thing:\u00e9", "session:thing:x", "x"):
        await world.redis("SET", key, "V1 1 1 1 1 1 1 1 1\n")
    await world.redis("LPUSH", "cache:thing:list", "1")
    await world.redis("SET", "cache:thing:foreign", "not ours")
    asked: list[EntityKey] = []
    versions = replica.source.versions

    async def spied(keys):
        asked.extend(keys)
        return await versions(keys)

    replica.source.versions = spied
    for _ in range(5):
        await audit.sample()
    assert audit.checked >= 1
    assert {key.id for key in asked} <= {"x", "list", "foreign"}
    assert (audit.suspects, audit.stale) == (0, 0)
    assert await world.redis("GET", "cache:thing:foreign") == "not ours"


async def test_names_that_were_answered_as_hits_are_looked_at_as_such(world: World) -> None:
    audit = HandAudit(replica := await world.replica())
    await replica.put(1)
    await replica.get()
    audit.served.note("thing:x")
    await audit.sample()
    assert audit.recording.events.count(("audit_checked", "thing", "served")) == 1
    await audit.sample()
    assert audit.recording.events.count(("audit_checked", "thing", "random")) == 1


async def test_being_looked_at_does_not_keep_an_entry_from_being_evicted(world: World) -> None:
    audit = HandAudit(await world.replica())
    await plant(world, await a_row(world))
    before = await world.redis("OBJECT", "FREQ", "cache:thing:x")
    for _ in range(5):
        await audit.sample()
    assert audit.checked == 5
    assert await world.redis("OBJECT", "FREQ", "cache:thing:x") == before


# -- its loop --------------------------------------------------------------------------------------------------------


async def test_nothing_unexpected_ends_the_audit(world: World) -> None:
    audit = HandAudit(replica := await world.replica())
    await replica.put(1)
    await replica.get()
    versions, replica.source.versions = replica.source.versions, None
    with capture_logs() as logs:
        async with running(audit.audit):
            await eventually(lambda: audit.audit.state == "failed: TypeError")
            replica.source.versions = versions
            await eventually(lambda: audit.checked > 0)
    assert any(line["event"] == "audit_failed" for line in logs)


async def test_a_stale_entry_is_found_by_the_loop_itself(world: World) -> None:
    audit = HandAudit(await world.replica())
    old = await a_row(world, 1)
    await a_row(world, 2)
    await plant(world, old)
    async with running(audit.audit):
        await eventually(lambda: audit.stale == 1)
    assert await world.cached() is None
