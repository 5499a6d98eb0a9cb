"""A place behind the load balancer, where one replica follows another; and when it was in which state."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.rollout.release import Release
from tests.support.door import DoorStatistics
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

PATIENCE_SECONDS = 900.0
"""No limit: on a machine that does much besides, imports alone may take minutes."""


@dataclass(slots=True)
class Span:
    """``state``: starting, ready (and not counted in yet), serving, draining. Monotonic seconds."""

    host: str
    release: str
    state: str
    began: float
    ended: float | None = None


class Slot:
    """``tell`` gets a line for people of whatever happens."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], statistics: DoorStatistics, *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.host = environment["ASIDE_HOST"]
        self.spans: list[Span] = []
        self.ready_seconds: list[float] = []
        """Of every start, from the launch of the process to the first 200 of its /readyz."""
        self.cpu_seconds: list[float] = []
        """What the same took of processors: on a machine that does much besides, the better figure."""
        self.release = ""
        self._log = folder / f"{self.host}.log"
        self._environment = dict(environment)
        self._statistics = statistics
        self._tell = tell
        self._process: ServiceProcess | None = None

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def process(self) -> ServiceProcess:
        assert self._process is not None, "nothing was started here"
        return self._process

    async def start(self, release: Release) -> None:
        """Return when it is ready and the load balancer has counted it in."""
        self.launch(release)
        await self.until_counted_in()

    def launch(self, release: Release) -> None:
        self.release = release.name
        self._process = ServiceProcess(self._log, {**self._environment, **release.environment})
        self._enter("starting")
        self._process.launch()

    async def until_counted_in(self) -> None:
        began = self.spans[-1].began
        await eventually(self.is_ready, within_seconds=PATIENCE_SECONDS, step_seconds=0.05)
        self.ready_seconds.append(time.monotonic() - began)
        self.cpu_seconds.append(cpu_seconds_of(self.process.pid))
        self._enter("ready")
        await eventually(self.is_counted_in, within_seconds=PATIENCE_SECONDS, step_seconds=0.05)
        self._enter("serving")
        self._tell(
            f"{self.host} ({self.release}) ready after {self.ready_seconds[-1]:.1f} s"
            f" ({self.cpu_seconds[-1]:.1f} s of a processor), counted in"
        )

    async def stop(self) -> None:
        """SIGTERM, and the end in order. Fails with the log where it is another."""
        self._enter("draining")
        exit_code = await asyncio.to_thread(self.process.terminate, PATIENCE_SECONDS)
        self._leave()
        assert exit_code == 0, f"{self.host} ended with {exit_code}:\n{self.process.log}"

    async def replace(self, release: Release) -> None:
        await self.stop()
        await self.start(release)

    def kill(self) -> None:
        """Without a word, as a host dies."""
        if self._process is not None:
            self._process.kill()
            self._leave()

    async def readiness(self) -> dict[str, str]:
        """The components in words, of /readyz; none where it does not answer."""
        assert self.process.is_running, f"{self.host} ended with {self.process.exit_code}:\n{self.process.log}"
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                answer = (await client.get(f"{self.url}/readyz")).json()
        except httpx.HTTPError:
            return {}
        return {**answer["components"], "status": answer["status"]}

    async def is_ready(self) -> bool:
        return (await self.readiness()).get("status") in {"ready", "degraded"}

    async def leads(self) -> bool:
        return (await self.readiness()).get("relay") == "leading"

    def is_counted_in(self) -> bool:
        return f"{self.host}:{self.process.port}" in self._statistics.counted_in()

    def _enter(self, state: str) -> None:
        self._leave()
        self.spans.append(Span(self.host, self.release, state, time.monotonic()))

    def _leave(self) -> None:
        if self.spans and self.spans[-1].ended is None:
            self.spans[-1].ended = time.monotonic()


def cpu_seconds_of(pid: int) -> float:
    """Of a process alone, without its children: those of several workers are not waited for."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
