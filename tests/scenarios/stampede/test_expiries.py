"""A hot key expires again and again, and nobody waits for it: it is renewed before."""

from __future__ import annotations

from collections import Counter

import pytest

from service.embedded import Postgres
from tests.support.figures import show
from tests.support.load import Traffic, quantiles, reads
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess
from tests.support.statements import StatementLog
from tests.support.waiting import lasting

READERS = 64
TTL_SECONDS = 2.0
LEAD_SECONDS = 0.45
"""A renewal is certain so long before the end, a quarter of the life: so long a busy machine may take for it."""


@pytest.mark.parametrize(("processes", "expiries"), [(1, 4), (3, 6)])
async def test_a_hot_key_is_renewed_before_each_of_its_expiries_and_no_reader_waits(
    three_replicas: list[ServiceProcess], logging_postgres: Postgres, processes: int, expiries: int
) -> None:
    urls = [replica.url for replica in three_replicas[:processes]]
    key = f"hot-{processes}"
    async with Traffic(urls, clients=4) as traffic:
        await traffic.until_cached()
        await traffic.write(key, ttl_seconds=TTL_SECONDS)
        before, statements = await scrape(urls), StatementLog(logging_postgres)
        first = await traffic.read(key)
        traffic.history.clear()
        async with traffic.hammering([key], readers=READERS, pause_seconds=0.12):
            await lasting(TTL_SECONDS * expiries)
        added = (await scrape(urls)).since(before)
        answers = reads(traffic.history)

    outcomes = Counter(answer.outcome for answer in answers)
    refreshes = added.total_of("aside_early_refreshes_total")
    loads = added.total_of("aside_db_load_batch_size_sum")
    show(f"\n{processes} processes: {outcomes} refreshes {refreshes:g} loads {loads:g} {statements.names()}")
    show(quantiles([answer.seconds for answer in answers]))
    show(Counter(answer.cache_status for answer in answers if answer.outcome != "hit"))
    assert first.outcome == "miss"
    # A machine that stood still for as long as a renewal has before the end proves nothing.
    stood_still = max(answer.seconds for answer in answers) > LEAD_SECONDS
    assert outcomes == {"hit": len(answers)} or stood_still
    assert loads <= refreshes + 1 or stood_still
    assert expiries * 0.8 <= refreshes <= expiries * 3 or stood_still
