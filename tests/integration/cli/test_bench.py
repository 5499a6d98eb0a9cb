"""`bench` against the real service: what it counts is what happened, and nothing of its own is left."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import httpx

from tests.conftest import Replicas
from tests.support.bench_process import bench, running_bench
from tests.support.scraping import Scrape, scrape
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

REQUESTS = "aside_cache_requests_total"


async def with_a_cache(replicas: Replicas) -> ServiceProcess:
    """A replica that trusts its cache already."""
    [replica] = replicas()

    async def is_ready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            return bool((await client.get(f"{replica.url}/readyz")).json()["status"] == "ready")

    await eventually(is_ready)
    return replica


def outcomes_in(seen: Scrape) -> dict[str, int]:
    """How many reads there were of each outcome."""
    found = {dict(labels)["outcome"]: 0 for name, labels in seen if name == REQUESTS}
    counts = {outcome: int(seen.total_of(REQUESTS, outcome=outcome)) for outcome in found}
    return {outcome: count for outcome, count in counts.items() if count}


async def entities_of(sql: asyncpg.Connection, entity_type: str) -> int:
    return int(await sql.fetchval("SELECT count(*) FROM entity WHERE entity_type = $1 AND NOT deleted", entity_type))


async def test_reads_are_hits_and_are_counted_as_the_service_counts_them(replicas: Replicas) -> None:
    replica = await with_a_cache(replicas)
    before = await scrape([replica.url])
    mix = "reads=70,if-none-match=20,absent=10"
    ended = await bench(replica.url, "--json", "--duration", "1", "--mix", mix, "--seed-entities", "20", "--seed", "5")
    seen = (await scrape([replica.url])).since(before)
    figures = ended.figures
    assert (ended.exit_code, figures["errors"]) == (0, 0)
    assert figures["outcomes"] == outcomes_in(seen)
    assert sum(figures["outcomes"].values()) == figures["requests"] == sum(figures["statuses"].values())
    assert figures["outcomes"]["hit"] > 0
    assert set(figures["kinds"]["absent"]["statuses"]) == {"404"}
    assert figures["kinds"]["absent"]["outcomes"]["negative_hit"] > 0
    assert figures["kinds"]["if-none-match"]["statuses"]["304"] > 0
    from_cache = figures["outcomes"]["hit"] + figures["outcomes"]["negative_hit"]
    assert figures["hit_ratio"] == from_cache / figures["requests"]
    assert sum(count for _, count in figures["histogram"]) == figures["requests"]


async def test_writes_are_real_and_the_entities_are_gone_afterwards(
    replicas: Replicas, sql: asyncpg.Connection
) -> None:
    replica = await with_a_cache(replicas)
    before = await scrape([replica.url])
    options = ["--duration", "1", "--mix", "reads=1,writes=1", "--seed-entities", "10", "--connections", "4"]
    ended = await bench(replica.url, "--json", *options)
    seen = (await scrape([replica.url])).since(before)
    writes = ended.figures["kinds"]["writes"]
    seeded_and_removed = 10 + 10
    assert writes["requests"] > 0
    assert seen.total_of("aside_writes_total", result="applied") == writes["requests"] + seeded_and_removed
    assert writes["outcomes"] == {"applied": writes["requests"]}
    assert writes["statuses"] == {"200": writes["requests"]}
    assert await entities_of(sql, "bench") == 0


async def test_what_is_to_be_kept_is_there_and_can_be_read_again(replicas: Replicas, sql: asyncpg.Connection) -> None:
    replica = await with_a_cache(replicas)
    first = await bench(replica.url, "--keep", "--duration", "0.2", "--seed-entities", "12", "--body-bytes", "500")
    assert await entities_of(sql, "bench") == 12
    again = next(line for line in first.stdout.splitlines() if line.startswith("They are kept: "))
    options = again.removeprefix("They are kept: ").removesuffix(" reads them again.").split()
    second = await bench(replica.url, *options, "--json", "--duration", "0.2")
    assert set(second.figures["statuses"]) == {"200"}
    assert await entities_of(sql, "bench") == 12


async def test_parameters_are_listed_and_read_alone_and_in_batches(replicas: Replicas, tmp_path: Path) -> None:
    replica = await with_a_cache(replicas)
    nothing = await bench(replica.url, "--parameters")
    assert nothing.exit_code == 2
    assert "there are no parameters" in nothing.stderr
    async with httpx.AsyncClient(base_url=replica.url, trust_env=False) as client:
        for number in range(5):
            parameter = {"type": "integer", "value": number}
            (await client.put(f"/v1/parameters/app:{number}", json=parameter)).raise_for_status()
    mix = ["--mix", "reads=1,batch-read=1", "--batch-size", "3"]
    ended = await bench(replica.url, "--parameters", "--json", "--duration", "0.5", *mix)
    for kind in ("reads", "batch-read"):
        assert set(ended.figures["kinds"][kind]["statuses"]) == {"200"}
    assert ended.exit_code == 0


async def test_a_service_that_is_stopped_yields_errors_an_exit_code_and_word_of_what_is_left(
    replicas: Replicas,
) -> None:
    replica = await with_a_cache(replicas)
    async with running_bench(replica.url, "--duration", "600", "--seed-entities", "10") as process:
        assert "errors 0" in await process.line_with("req/s")
        replica.kill()
        while "errors 0" in await process.line_with("req/s"):
            pass
        process.interrupt()
        ended = await process.end()
    assert ended.exit_code == 3
    assert "refused" in ended.stdout
    assert "10 could not be removed" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_ctrl_c_ends_it_early_with_the_result_and_nothing_left(
    replicas: Replicas, sql: asyncpg.Connection
) -> None:
    replica = await with_a_cache(replicas)
    async with running_bench(replica.url, "--duration", "600", "--seed-entities", "10") as process:
        await process.line_with("1 of 600 s")
        process.interrupt()
        ended = await process.end()
    assert ended.exit_code == 0, ended.stderr
    assert "p99.9" in ended.stdout
    assert "█" in ended.stdout
    assert await entities_of(sql, "bench") == 0
