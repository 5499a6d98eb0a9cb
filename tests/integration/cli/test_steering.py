"""The commands for those who steer the cache, against one real service: what they say is what the service does."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli import main
from tests.integration.api.conftest import until_ready
from tests.support.databases import execute_sql
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

PAGES = """
INSERT INTO entity (entity_type, id, body) SELECT 'page', 'page-' || n, to_jsonb(n) FROM generate_series(1, 2000) n
"""


@pytest.fixture
async def books(shared_replica: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service whose cache holds three books."""
    async with httpx.AsyncClient(base_url=shared_replica.url) as client:
        await until_ready(client)
        for entity_id in ("dune", "emma", "persuasion"):
            await client.put(f"/v1/entities/book/{entity_id}", json={"title": entity_id})
            await client.get(f"/v1/entities/book/{entity_id}")
        yield client


async def asked(client: httpx.AsyncClient, *arguments: str) -> Result:
    """The command in this process: its imports would take longer than all else."""
    ended = await asyncio.to_thread(CliRunner().invoke, main, [*arguments, "--url", str(client.base_url)])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended


async def verdict_of(client: httpx.AsyncClient, entity_id: str) -> str:
    return str((await client.get(f"/v1/cache/entries/book/{entity_id}")).json()["verdict"])


async def test_stats_and_explain_say_what_the_service_says(books: httpx.AsyncClient) -> None:
    assert json.loads((await asked(books, "stats", "--json")).stdout)["cache"]["on"] is True
    assert "on, for" in (await asked(books, "stats")).stdout
    version = (await books.get("/v1/entities/book/dune")).headers["etag"].strip('"')
    explained = (await asked(books, "explain", "book", "dune")).stdout
    assert explained.startswith("cache:book:dune  fresh\n  a hit: version")
    assert f"cached      version {version}, " in explained
    assert f"PostgreSQL  version {version}, of " in explained
    absent = json.loads((await asked(books, "explain", "--json", "book", "nowhere")).stdout)
    assert (absent["verdict"], absent["row"]) == ("absent", None)


async def test_ids_are_purged_at_once_and_counted_without_it_before(books: httpx.AsyncClient) -> None:
    ids = ("--type", "book", "--id", "dune", "--id", "nowhere")
    counted = await asked(books, "purge", *ids, "--dry-run", "--json")
    assert json.loads(counted.stdout) == {"purged": 1, "dry_run": True}
    assert await verdict_of(books, "dune") == "fresh"
    purged = await asked(books, "purge", *ids)
    assert (purged.exit_code, purged.stdout) == (0, "1 of 2 ids of type book were cached, and are gone.\n")
    assert (await verdict_of(books, "dune"), await verdict_of(books, "emma")) == ("absent", "fresh")


async def test_a_type_is_purged_only_if_that_is_meant_and_the_job_is_followed(books: httpx.AsyncClient) -> None:
    refused = await asked(books, "purge", "--type", "book")
    assert (refused.exit_code, "say --yes" in refused.stderr) == (2, True)
    assert await verdict_of(books, "emma") == "fresh"
    followed = await asked(books, "purge", "--type", "book", "--yes", "--actor", "ann", "--json")
    job = json.loads(followed.stdout)
    assert (followed.exit_code, job["state"], job["actor"]) == (0, "done", "ann")
    assert await verdict_of(books, "emma") in {"absent", "outdated"}
    number = str(job["id"])
    assert 'purge {"entity_type": "book"}' in (await asked(books, "jobs", "list")).stdout
    shown = await asked(books, "jobs", "show", "--follow", number)
    assert (shown.exit_code, shown.stdout[:40]) == (0, f'job {number} purge {{"entity_type": "book"}}: done'[:40])
    assert (await asked(books, "jobs", "cancel", number)).exit_code == 0
    unknown = await asked(books, "jobs", "show", "999999")
    assert (unknown.exit_code, "there is no job 999999" in unknown.stderr) == (1, True)


async def test_ctrl_c_leaves_the_job_running_and_says_how_to_see_and_end_it(
    books: httpx.AsyncClient, module_database_url: str
) -> None:
    execute_sql(module_database_url, PAGES)
    warming = {"entity_types": ["page"], "rows_per_second": 1}
    number = str((await books.post("/v1/cache/warm", json=warming)).json()["id"])
    before = await reads_of_jobs(books)
    followed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", "jobs", "show", number, "--follow", "--url", str(books.base_url),
        stdout=PIPE, stderr=PIPE,
    )  # fmt: skip

    async def follows() -> bool:
        return await reads_of_jobs(books) > before + 1

    await eventually(follows, within_seconds=30)
    followed.send_signal(signal.SIGINT)
    _, stderr = await followed.communicate()
    assert followed.returncode == 130
    assert f"Job {number} goes on without you." in stderr.decode()
    assert f"aside jobs cancel {number}" in stderr.decode()
    assert (await books.delete(f"/v1/cache/jobs/{number}")).json()["state"] in {"queued", "running"}


async def reads_of_jobs(client: httpx.AsyncClient) -> int:
    """How often somebody has looked at a job."""
    lines = (await client.get("/metrics")).text.splitlines()
    wanted = 'aside_request_seconds_count{method="GET",route="/v1/cache/jobs/{id}"'
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(wanted))


async def test_watching_goes_on_until_ctrl_c(books: httpx.AsyncClient) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", "stats", "--watch", "--every", "0.1", "--url", str(books.base_url),
        stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(3)]
    process.send_signal(signal.SIGINT)
    _, stderr = await process.communicate()
    assert (process.returncode, stderr) == (0, b"")
    assert [line.startswith("hit ratio ") for line in lines] == [True] * 3
