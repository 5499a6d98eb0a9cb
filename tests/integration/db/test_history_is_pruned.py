"""The relay's bounded step forgets old versions too."""

from __future__ import annotations

import asyncpg

from service.db.changes import RelaySession
from service.parts import build_database
from service.settings import Settings


async def test_the_relays_prune_forgets_what_was_superseded_long_ago(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    body = '{"type": "integer", "value": 1}'
    await admin.execute("INSERT INTO entity (entity_type, id, body) VALUES ('parameter', 'a', $1)", body)
    for _ in range(5):
        await admin.execute("UPDATE entity SET body = body")
    await admin.execute("UPDATE parameter_version SET superseded_at = superseded_at - interval '2 hours'")
    database = build_database(Settings(DATABASE_URL=database_url))
    session = await RelaySession.lead(database, idle_seconds=60)
    assert session is not None
    assert await session.prune_history(after_seconds=1e6, at_most=3) == 0
    assert await session.prune_history(after_seconds=3_600, at_most=3) == 3
    assert await session.prune_history(after_seconds=3_600, at_most=3) == 2
    assert await admin.fetchval("SELECT count(*) FROM parameter_version") == 1
    session.close()
    await database.close()
    await admin.close()
