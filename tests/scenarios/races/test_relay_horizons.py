"""Races between the relay's poll and transactions that are still open."""

from __future__ import annotations

UPDATE = "UPDATE entity SET body = '{\"n\": 2}' WHERE id = $1"

STAND_STILL = """
DO $do$ BEGIN
    CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(1);
        RETURN NULL;
    END $$;
    CREATE TRIGGER stand_still AFTER INSERT ON change FOR EACH ROW WHEN (NEW.id = 'x') EXECUTE FUNCTION stand_still();
END $do$
"""
"""From now on a transaction that writes x waits, with its version taken, as long as somebody holds advisory lock 1."""


async def test_r21_a_change_with_a_lower_number_that_commits_later_is_carried(world):
    """
    Transaction T:  writes x ────────────────────────────────── commits
    SQL:                        writes y, commits
    relay:                                          polls: y             polls: x
    """
    a = await world.replica()
    for entity_id in ("x", "y"):
        await a.put(1, entity_id)
        assert await a.read(entity_id) == 1
    t = await world.connect()
    await t.execute("BEGIN")
    await t.execute(UPDATE, "x")
    await world.sql(UPDATE, "y")
    await world.relay.carry()
    assert await a.read("y") == 2
    await t.execute("COMMIT")
    await world.relay.carry()
    assert await a.read("x") == 2


async def test_r21_a_change_that_was_open_at_the_last_poll_of_one_leader_is_carried_by_the_next(world):
    """As above, and between the polls another relay takes over: the watermark in Redis knows what was open."""
    a = await world.replica()
    for entity_id in ("x", "y"):
        await a.put(1, entity_id)
        assert await a.read(entity_id) == 1
    t = await world.connect()
    await t.execute("BEGIN")
    await t.execute(UPDATE, "x")
    await world.sql(UPDATE, "y")
    await world.relay.carry()
    await world.lead()
    await t.execute("COMMIT")
    await world.relay.carry()
    assert await a.read("x") == 2


async def test_r21_a_write_is_not_told_while_its_change_is_above_the_horizon_that_was_applied(quick_world):
    """
    Writer B, link cut:  takes version 3 ........................................ commits ── asks the ledger ... acked
    SQL:                                  writes y, version 4, commits
    relay:                                                             polls: y, notes it as applied
    reader A:                                                                                     must not hit the old x
    """
    world = quick_world
    link = await world.proxy()
    a, b = await world.replica(), await world.replica(redis_url=link.url)
    for entity_id in ("x", "y"):
        await b.put(1, entity_id)
    await world.sql(STAND_STILL)
    blocker = await world.connect()
    await blocker.execute("SELECT pg_advisory_lock(1)")
    link.cut()
    writer = b.begin_put(2)
    await world.until_somebody_waits_for_a_lock()
    await world.relay.carry()
    await a.read()
    await world.sql(UPDATE, "y")
    await world.relay.carry()
    await blocker.execute("SELECT pg_advisory_unlock(1)")
    await writer
    assert await a.read() == 2


async def test_r22_a_long_transaction_holds_back_the_horizon_and_nobody_elses_changes(world):
    """
    Transaction T:  has written something ...................................... still open
    SQL:                                    writes x, commits
    relay:                                                      polls: x
    """
    a = await world.replica()
    await a.put(1)
    assert await a.read() == 1
    t = await world.connect()
    await t.execute("BEGIN")
    await t.execute("INSERT INTO entity (entity_type, id, body) VALUES ('thing', 'open', '{}')")
    await world.sql(UPDATE, "x")
    await world.relay.carry()
    assert await a.read() == 2
    await world.sql("UPDATE entity SET body = '{\"n\": 3}' WHERE id = 'x'")
    await world.relay.carry()
    assert await a.read() == 3


async def test_r22_changes_of_many_pages_are_all_carried_before_the_grant(world):
    """Seven changes in pages of two: each page applies, the last one grants."""
    a = await world.replica()
    ids = [f"id-{n}" for n in range(7)]
    for entity_id in ids:
        await a.put(1, entity_id)
        assert await a.read(entity_id) == 1
    await world.relay.carry()
    await world.lead(page_size=2)
    await world.sql("UPDATE entity SET body = '{\"n\": 2}'")
    await world.relay.carry()
    assert [await a.read(entity_id) for entity_id in ids] == [2] * 7
