"""What is steered while hits go on: warmings by jobs and by `aside warm`, and purges. Each says how much it did."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.bench import command
from tests.bench.cores import family
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

    @contextmanager
    def one_warming(self) -> Iterator[OneWarming]:
        """Of all rows, by one job at the service's own rate, whose process stands still at first."""
        warming = OneWarming(self, self._stage.service.pid, self._begin("warm", {"entity_types": [TYPE]}))
        try:
            warming.stand_still()
            yield warming
        finally:
            warming.go_on()

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

    def so_far(self, job: int) -> tuple[bool, int]:
        """Whether it has ended, and the rows that it has looked at. Raises RuntimeError where it cannot be done."""
        found = self._look(job)
        return found["state"] == "done", int(json.loads(found["progress"]).get("rows", 0))

    def _await(self, job: int) -> dict[str, int]:
        """What it has counted at its end. Raises RuntimeError where it was not done."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        while True:
            found = self._look(job)
            if found["state"] == "done":
                progress: dict[str, int] = json.loads(found["progress"])
                return progress
            if time.monotonic() > deadline:
                raise RuntimeError(f"job {job} was not done: {dict(found)}")
            time.sleep(_LOOK_SECONDS)

    def _look(self, job: int) -> asyncpg.Record:
        look = self._connection.fetchrow("SELECT state, progress, error FROM job WHERE id = $1", job)
        found = self._runner.run(look)
        if found["state"] in ("failed", "cancelled"):
            raise RuntimeError(f"job {job} was not done: {dict(found)}")
        return found


class OneWarming:
    """A job, and the process that warms for it, which can be made to stand still."""

    def __init__(self, steering: Steering, service: int, job: int) -> None:
        self._steering = steering
        self._job = job
        self._seen = 0
        self._process = _warming_process_of(service, until=lambda: steering.so_far(job)[1] > 0)

    def is_done(self) -> bool:
        return self._steering.so_far(self._job)[0]

    def stand_still(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGSTOP)

    def go_on(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGCONT)

    def go_on_for(self, seconds: float) -> int:
        """Returns the rows that it has told of meanwhile, which it does every second."""
        self.go_on()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self.is_done():
            time.sleep(min(_LOOK_SECONDS, max(0.0, ends - time.monotonic())))
        self.stand_still()
        return self._told()

    def go_on_to_its_end(self) -> int:
        self.go_on()
        while not self.is_done():
            time.sleep(_LOOK_SECONDS)
        return self._told()

    def _told(self) -> int:
        before, self._seen = self._seen, self._steering.so_far(self._job)[1]
        return self._seen - before


def _warming_process_of(service: int, *, until: Callable[[], bool]) -> int:
    """Its number, once it is at work."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError("no process warms")
        time.sleep(_LOOK_SECONDS)
    [found] = [
        pid for pid in family(service) if b"service.warming_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return found
