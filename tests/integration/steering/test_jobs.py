"""Jobs: done once, wherever they were asked for; gone on with by others; ended when nobody wants them any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from service.cache.recorder import NullRecorder
from service.db.jobs import JobTable
from service.db.pool import Database
from service.domain.job import Job, JobKind, JobOrigin, JobState
from service.errors import DatabaseBusyError
from service.services.jobs import JobRunner, Report
from tests.conftest import Replicas
from tests.integration.steering.conftest import ROWS, until_on, until_over
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually


async def test_a_job_warms_what_it_was_asked_for_and_says_how_far_it_has_come(client, other, rows):
    await rows.execute(ROWS, "warmed", 120)
    asked = await client.post(
        "/v1/cache/warm", json={"entity_types": ["warmed"], "prefix": "i1"}, headers={"Aside-Actor": "ann"}
    )
    assert asked.status_code == 202
    assert asked.json()["state"] == "queued"
    job = await until_over(other, asked.headers["Location"])
    assert (job["state"], job["error"], job["actor"], job["origin"]) == ("done", None, "ann", "request")
    assert job["progress"] == {"rows": 32, "installed": 32, "present": 0, "busy": 0, "refused": 0, "absent": 0}
    assert "; hit;" in (await other.get("/v1/entities/warmed/i100")).headers["Cache-Status"]
    assert "; hit;" not in (await other.get("/v1/entities/warmed/i2")).headers["Cache-Status"]


async def test_ids_are_warmed_too_those_that_are_not_there_as_absent(client, rows):
    await rows.execute(ROWS, "listed", 3)
    asked = await client.post("/v1/cache/warm", json={"entity_type": "listed", "ids": ["i1", "i3", "gone", "i1"]})
    job = await until_over(client, asked.headers["Location"])
    assert job["progress"] == {"rows": 3, "installed": 2, "present": 0, "busy": 0, "refused": 0, "absent": 1}


async def test_a_job_that_is_cancelled_ends_and_what_it_has_done_stays_done(client, other, rows):
    await rows.execute(ROWS, "many", 5_000)
    asked = await client.post("/v1/cache/warm", json={"entity_types": ["many"], "rows_per_second": 50})
    location = asked.headers["Location"]

    async def has_begun() -> bool:
        return (await client.get(location)).json()["progress"].get("rows", 0) > 0

    await eventually(has_begun, within_seconds=40)
    second = await client.post("/v1/cache/warm", json={"hot": 10})
    assert (await client.get(second.headers["Location"])).json()["state"] == "queued"  # one of a kind at a time
    assert (await other.delete(location)).status_code == 202
    job = await until_over(client, location)
    assert job["state"] == "cancelled"
    assert 0 < job["progress"]["rows"] < 5_000
    assert (await until_over(client, second.headers["Location"]))["state"] == "done"
    assert [each["id"] for each in (await client.get("/v1/cache/jobs?limit=2")).json()["jobs"]] == [
        int(where.headers["Location"].rpartition("/")[2]) for where in (second, asked)
    ]


async def test_many_rows_are_warmed_by_a_process_of_their_own_that_ends_with_its_job(client, pair, rows):
    """Cancelled, it ends its page first: no lease is left, and the next job has nothing to wait for."""
    await rows.execute(ROWS, "crowd", 20_000)
    await rows.execute("ANALYZE entity")
    wanted = {"entity_types": ["crowd"], "rows_per_second": 100_000}  # so that a page is always in flight
    location = (await client.post("/v1/cache/warm", json=wanted)).headers["Location"]

    async def has_come_far() -> bool:
        return (await client.get(location)).json()["progress"].get("rows", 0) > 100

    await eventually(has_come_far, within_seconds=60)
    assert len(warming_processes(pair)) == 1
    await client.delete(location)
    cancelled = await until_over(client, location)
    assert cancelled["state"] == "cancelled"
    assert 0 < cancelled["progress"]["installed"] < 20_000
    assert warming_processes(pair) == []
    again = await client.post("/v1/cache/warm", json=wanted)
    done = await until_over(client, again.headers["Location"])
    assert done["state"] == "done"
    assert done["progress"] == {
        "rows": 20_000, "installed": 20_000 - cancelled["progress"]["installed"],
        "present": cancelled["progress"]["installed"], "busy": 0, "refused": 0, "absent": 0,
    }  # fmt: skip
    assert "; hit;" in (await client.get("/v1/entities/crowd/i20000")).headers["Cache-Status"]


def warming_processes(replicas: list[ServiceProcess]) -> list[int]:
    """Children of these, by their pids."""
    found = []
    for replica in replicas:
        for task in Path(f"/proc/{replica.pid}/task").iterdir():
            children = map(int, (task / "children").read_text().split())
            found += [pid for pid in children if b"warming_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found


@pytest.mark.parametrize("is_killed", [False, True])
async def test_another_replica_goes_on_where_one_that_was_stopped_or_killed_had_come_to(
    replicas: Replicas, sql: asyncpg.Connection, *, is_killed: bool
):
    """What is gone through twice is a page at the most; nothing is left out."""
    await sql.execute(ROWS, "many", 1_000)
    first, second = replicas(2)
    async with httpx.AsyncClient() as http:
        asked = await http.post(f"{first.url}/v1/cache/warm", json={"entity_types": ["many"], "rows_per_second": 400})
        location = asked.headers["Location"]

        async def has_come_far() -> bool:
            return bool(await sql.fetchval("SELECT (reached->'counted'->>'rows')::int > 100 FROM job"))

        await eventually(has_come_far, within_seconds=40)
        runner = await sql.fetchval("SELECT runner FROM job")
        runs, rests = (first, second) if '"job_begins"' in first.log else (second, first)
        if is_killed:
            runs.kill()
            await sql.execute("UPDATE job SET claimed_until = now()")  # ten seconds later
        else:
            runs.terminate()
        async with httpx.AsyncClient(base_url=rests.url) as client:
            job = await until_over(client, location)
            await until_on(client)
        assert job["state"] == "done"
        assert 1_000 <= job["progress"]["rows"] <= 1_050
        assert await sql.fetchval("SELECT count(*) FROM job WHERE runner = $1", runner) == 0
        absent = [
            each for each in range(1, 1_001, 47)
            if "; hit;" not in (await http.get(f"{rests.url}/v1/entities/many/i{each}")).headers["Cache-Status"]
        ]  # fmt: skip
    # A process that is killed leaves the leases of its page behind, which nobody fills until they expire.
    assert len(absent) <= (job["progress"]["busy"] if is_killed else 0)


class Slow:
    """Work that ends when a test says so."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.failures = 0
        self.runs: list[int] = []

    async def run(self, job: Job, report: Report) -> None:
        self.runs.append(job.id)
        report({"rows": len(self.runs)}, reached={"at": len(self.runs)}, about=7)
        if self.failures:
            self.failures -= 1
            raise DatabaseBusyError("all connections are busy")
        await self.may_end.wait()


@pytest.fixture
async def table(database_url: str) -> AsyncIterator[JobTable]:
    database = Database(
        database_url, load_connections=1, write_connections=1, spare_connections=2, browse_connections=1,
        connect_timeout_seconds=5, statement_timeout_seconds=5,
    )  # fmt: skip
    yield JobTable(database)
    await database.close()


async def ask(table: JobTable) -> Job:
    job = await table.create(JobKind.WARM, JobOrigin.REQUEST, {"hot": 1}, actor=None)
    assert job is not None
    return job


async def test_of_many_replicas_that_look_at_the_same_moment_one_does_the_job(table):
    await ask(table)
    claims = await asyncio.gather(*[table.claim([JobKind.WARM], f"r{n}", seconds=10) for n in range(20)])
    assert len([claim for claim in claims if claim is not None]) == 1
    assert await table.claim([JobKind.WARM], "late", seconds=10) is None


async def test_a_job_that_cannot_go_on_now_is_put_back_and_says_why(table):
    job, work = await ask(table), Slow()
    work.failures = 1
    runner = JobRunner(table, {JobKind.WARM: work}, NullRecorder(), name="one", poll_seconds=0.01)
    runner.start()

    async def is_put_back() -> bool:
        seen = await table.read(job.id)
        return seen is not None and seen.state is JobState.QUEUED and seen.error is not None

    await eventually(is_put_back)
    seen = await table.read(job.id)
    await runner.stop()
    assert seen is not None
    assert (seen.error, seen.progress, seen.reached, seen.about) == (
        "all connections are busy", {"rows": 1}, {"at": 1}, 7,
    )  # fmt: skip
    assert work.runs == [job.id]


async def test_a_job_that_nobody_can_do_fails_and_says_why(client, rows):
    """E.g. one that a newer version has made."""
    job_id = await rows.fetchval(
        "INSERT INTO job (kind, origin, wanted) VALUES ('warm', 'request', '{\"moon\": 1}') RETURNING id"
    )
    job = await until_over(client, f"/v1/cache/jobs/{job_id}")
    assert (job["state"], job["error"]) == ("failed", "this job says nothing that can be warmed")


async def test_whoever_has_lost_a_job_does_not_end_it(table):
    """
    first:   claims ── sleeps past its claim ───────────────── ends it: not its own any more
    second:                                    claims
    """
    job = await ask(table)
    await table.claim([JobKind.WARM], "first", seconds=0)
    claimed = await table.claim([JobKind.WARM], "second", seconds=10)
    assert claimed is not None
    assert await table.checkpoint(job.id, "first", progress={}, reached=None, about=None, seconds=10) is None
    await table.end(job.id, "first", JobState.DONE)
    seen = await table.read(job.id)
    assert seen is not None
    assert seen.state is JobState.RUNNING


async def test_a_job_that_is_not_there_is_a_problem(client):
    for answer in (await client.get("/v1/cache/jobs/999999"), await client.delete("/v1/cache/jobs/999999")):
        assert answer.status_code == 404
        assert answer.json()["detail"] == "there is no job 999999"
