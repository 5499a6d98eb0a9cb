"""What a hit costs: its share of one MGET, and nothing of PostgreSQL."""

from __future__ import annotations

import re

from service.embedded import Postgres, Valkey
from tests.support.crowd import at_once
from tests.support.figures import show
from tests.support.load import Traffic
from tests.support.scraping import scrape
from tests.support.service_process import ServiceProcess
from tests.support.statements import StatementLog
from tests.support.valkey_commands import command


def calls(valkey: Valkey) -> dict[str, int]:
    """How often each command has been called, as Valkey counts."""
    report = command(valkey.url, "INFO", "commandstats") or ""
    return {name: int(count) for name, count in re.findall(r"cmdstat_(\S+?):calls=(\d+)", report)}


async def test_hits_that_come_one_by_one_cost_one_mget_each_and_no_statement(
    three_replicas: list[ServiceProcess], logging_postgres: Postgres, fleet_valkey: Valkey
) -> None:
    urls = [replica.url for replica in three_replicas]
    async with Traffic(urls) as traffic:
        await traffic.until_cached()
        await traffic.write("hit")
        await traffic.read("hit")
        statements, before, metrics = StatementLog(logging_postgres), calls(fleet_valkey), await scrape(urls)
        answers = [await traffic.read("hit") for _ in range(300)]
        after, added = calls(fleet_valkey), (await scrape(urls)).since(metrics)

    assert {answer.outcome for answer in answers} == {"hit"}
    assert after["mget"] - before["mget"] == len(answers)
    assert statements.names() == []
    assert added.total_of("aside_cache_requests_total", outcome="hit") == len(answers)
    assert added.total_of("aside_db_load_batch_size_count") == 0
    assert added.total_of("aside_cache_seconds_count", op="read") == len(answers)


async def test_hits_that_wait_at_the_same_moment_share_an_mget(
    three_replicas: list[ServiceProcess], logging_postgres: Postgres, fleet_valkey: Valkey
) -> None:
    keys = [f"shared-{number}" for number in range(10)]
    replica = three_replicas[0]
    async with Traffic([replica.url]) as traffic:
        await traffic.until_cached()
        for key in keys:
            await traffic.write(key)
            await traffic.read(key)
    statements, before = StatementLog(logging_postgres), calls(fleet_valkey)
    answers = await at_once([replica], keys * 30)
    mgets = calls(fleet_valkey)["mget"] - before["mget"]
    show(f"\n{len(answers)} hits on {len(keys)} keys: {mgets} MGETs")
    assert {answer.outcome for answer in answers} == {"hit"}
    assert mgets <= 5
    assert statements.names() == []
