"""What is steered while hits go on: warmings by jobs and by `aside warm`, and purges. Each says how much it did."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx

from tests.bench import command
from tests.steer.stage import TYPE, Stage

_LOOK_SECONDS = 0.1
_LONGEST_SECONDS = 1_200.0


class Steering:
    """Of one service. How far a job is, PostgreSQL is asked: a request of ours would hold hits up."""

    def __init__(
        self, stage: Stage, client: httpx.Client, runner: asyncio.Runner, connection: asyncpg.Connection
    ) -> None:
        self._stage = stage
        self._client = client
        self._runner = runner
        self._connection = connection

    @classmethod
    @contextmanager
    def of(cls, stage: Stage) -> Iterator[Steering]:
        with (
            httpx.Client(base_url=stage.service.url, timeout=30, trust_env=False) as client,
            asyncio.Runner() as runner,
        ):
            connection = runner.run(asyncpg.connect(stage.addresses["DATABASE_URL"]))
            try:
                yield cls(stage, client, runner, connection)
            finally:
                runner.run(connection.close())

    def warm_by_jobs(self, prefixes: Sequence[str], *, rate: float | None) -> int:
        """One job for each, one after the other. ``rate`` None: the service's own. Returns the rows installed."""
        said = {} if rate is None else {"rows_per_second": rate}
        jobs = [self._begin("warm", {"entity_types": [TYPE], "prefix": each, **said}) for each in prefixes]
        return sum(self._await(job)["installed"] for job in jobs)

    def warm_by_command(self, prefix: str = "", *, rate: float | None = None) -> int:
        """`aside warm`, wherever the machine puts it. Returns the rows installed."""
        more = [*(["--prefix", prefix] if prefix else []), *([] if rate is None else ["--rate", f"{rate:g}"])]
        said = command.run(
            "warm", "--type", TYPE, "--json", *more, environment=self._stage.addresses, cores=frozenset(),
            timeout_seconds=_LONGEST_SECONDS,
        )  # fmt: skip
        return int(said["installed"])

    def purge(self, prefix: str = "") -> int:
        """Of the type, to the end of the walk. Returns the keys that went."""
        return self._await(self._begin("purge", {"entity_type": TYPE, "prefix": prefix}))["purged"]

    def _begin(self, kind: str, wanted: dict[str, Any]) -> int:
        answer = self._client.post(f"/v1/cache/{kind}", json=wanted).raise_for_status()
        return int(answer.json()["id"])

    def _await(self, job: int) -> dict[str, int]:
        """What it has counted at its end. Raises RuntimeError where it was not done."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        while True:
            found = self._runner.run(
                self._connection.fetchrow("SELECT state, progress, error FROM job WHERE id = $1", job)
            )
            if found["state"] == "done":
                progress: dict[str, int] = json.loads(found["progress"])
                return progress
            if found["state"] in ("failed", "cancelled") or time.monotonic() > deadline:
                raise RuntimeError(f"job {job} was not done: {dict(found)}")
            time.sleep(_LOOK_SECONDS)
