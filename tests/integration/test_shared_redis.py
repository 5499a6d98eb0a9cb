"""Two databases behind one Redis: a mistake, and no reason to hand out another application's data."""

from __future__ import annotations

import httpx
import pytest

from tests.support.scraping import scrape
from tests.support.waiting import eventually


@pytest.fixture
def strangers(replicas, database_mint, redis_url):
    """Two replicas with nothing in common but Redis."""
    with database_mint.database() as first, database_mint.database() as second:
        yield [
            replicas(1, DATABASE_URL=url, REDIS_URL=redis_url, ASIDE_BOUND_SECONDS="0.5")[0] for url in (first, second)
        ]


async def test_a_service_never_answers_with_what_another_databases_service_cached(strangers):
    ours, theirs = strangers
    async with httpx.AsyncClient() as client:
        for number, replica in enumerate((ours, theirs)):
            path = f"{replica.url}/v1/entities/book/dune"
            assert (await client.put(path, json={"owner": number})).status_code == 201
        for _ in range(200):
            for number, replica in enumerate((ours, theirs)):
                answer = await client.get(f"{replica.url}/v1/entities/book/dune")
                assert answer.json() == {"owner": number}, answer.headers["cache-status"]

        async def said_so() -> bool:
            await client.get(f"{ours.url}/v1/entities/book/dune")
            await client.get(f"{theirs.url}/v1/entities/book/dune")
            said = any("cache_belongs_to_another_database" in replica.log for replica in strangers)
            counted = await scrape([replica.url for replica in strangers])
            return said and counted.total_of("aside_foreign_heartbeats_total") > 0

        await eventually(said_so)
