"""Two workers on one port: whichever answers, the figures are those of both, and one of them leads."""

from __future__ import annotations

import asyncpg

from tests.conftest import Replicas
from tests.support.crowd import connections, replies
from tests.support.load import Traffic
from tests.support.scraping import scrape
from tests.support.waiting import eventually

ROUTE = "/v1/entities/{entity_type}/{id}"
SENT = 400


async def test_whichever_worker_answers_the_metrics_add_up_to_what_was_sent(
    replicas: Replicas, database_url: str
) -> None:
    (replica,) = replicas(ASIDE_WORKERS="2")
    async with Traffic([replica.url]) as traffic:
        await traffic.until_cached()
        await traffic.write("counted")
        await traffic.read("counted")
    before = await scrape([replica.url])
    async with connections([replica.url] * SENT) as opened:
        answers = await replies(opened, ["counted"] * SENT, [replica.url] * SENT)
    scrapes = [(await scrape([replica.url])).since(before) for _ in range(12)]

    assert {answer.outcome for answer in answers} == {"hit"}
    for added in scrapes:
        assert added.total_of("aside_cache_requests_total", outcome="hit") == SENT
        assert added.total_of("aside_request_seconds_count", method="GET", route=ROUTE, status="200") == SENT

    async def vitals_are_those_of_both() -> bool:
        found = await scrape([replica.url])
        loads, leaders = (
            found.total_of("aside_db_connections_allowed", share="load"),
            found["aside_relay_leading", frozenset()],
        )
        return (loads, leaders, found["aside_cache_on", frozenset()]) == (6, 1, 1)

    await eventually(vitals_are_those_of_both)

    roles: set[str] = set()

    async def both_answered() -> bool:
        async with Traffic([replica.url]) as once:
            roles.add((await once.get("/readyz")).json()["components"]["relay"])
        return roles == {"leading", "following"}

    await eventually(both_answered)
    database = await asyncpg.connect(database_url)
    leaders = await database.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    await database.close()
    assert leaders == 1
    assert replica.log.count('"relay_leads"') == 1
