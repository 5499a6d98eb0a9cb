"""What a rollout needs: a load balancer on the configuration that is shipped, and places for replicas behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from service.embedded import free_port
from tests.rollout.release import Release
from tests.rollout.slot import PATIENCE_SECONDS, Slot
from tests.support.aside_command import aside
from tests.support.door import DoorStatistics, haproxy
from tests.support.name_server import NameServer
from tests.support.waiting import eventually

BOUND_SECONDS = 1.0
LEADERS = (
    "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
)


@dataclass(slots=True)
class Stage:
    """``door`` is the load balancer's URL; ``urls`` are of the servers, as variables."""

    door: str
    statistics: DoorStatistics
    slots: list[Slot]
    urls: dict[str, str]

    async def start_all(self, release: Release) -> None:
        for slot in self.slots:
            slot.launch(release)
        for slot in self.slots:
            await slot.until_counted_in()
        await eventually(self.leader, within_seconds=PATIENCE_SECONDS)

    async def leader(self) -> Slot | None:
        """Whose relay leads; None while none does."""
        leading = [slot for slot in self.slots if slot.process.is_running and await slot.leads()]
        return leading[0] if len(leading) == 1 else None

    async def followers_first(self) -> list[Slot]:
        """All of them, the leader at the end."""
        leader = await eventually(self.leader, within_seconds=PATIENCE_SECONDS)
        return [*(slot for slot in self.slots if slot is not leader), leader]

    async def hand_over_to(self, slot: Slot) -> None:
        """End the leader's session until it is this replica that leads: whoever comes first, does."""

        async def is_there() -> bool:
            leader = await self.leader()
            if leader is not None and leader is not slot:
                await self._end_leadership()
            return leader is slot

        await eventually(is_there, within_seconds=PATIENCE_SECONDS, step_seconds=BOUND_SECONDS / 4)

    async def _end_leadership(self) -> None:
        connection = await asyncpg.connect(self.urls["DATABASE_URL"])
        await connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({LEADERS}) AS leaders")
        await connection.close()

    async def migrate(self, release: Release) -> None:
        """`aside migrate` of a release, to its end."""
        done = await aside("migrate", **self.urls, **release.environment)
        assert done.exit_code == 0, done.stderr


@contextmanager
def open_stage(
    folder: Path, urls: dict[str, str], *, replicas: int, drain_seconds: float,
    tell: Callable[[str], None] = lambda _: None, **environment: str,
) -> Iterator[Stage]:  # fmt: skip
    """No replica runs yet. ``urls``: DATABASE_URL and REDIS_URL."""
    hosts = [f"127.0.0.{number}" for number in range(2, 2 + replicas)]
    port, door = free_port(), free_port()
    statistics = DoorStatistics(folder)
    common = {
        **urls, "ASIDE_PORT": str(port), "ASIDE_BOUND_SECONDS": f"{BOUND_SECONDS:g}",
        "ASIDE_DRAIN_SECONDS": f"{drain_seconds:g}", **environment,
    }  # fmt: skip
    slots = [Slot(folder, {**common, "ASIDE_HOST": host}, statistics, tell=tell) for host in hosts]
    with NameServer(hosts) as names:
        own = {"ASIDE_DNS": names.address, "ASIDE_REPLICAS": f"aside:{port}", "ASIDE_DOOR": f"127.0.0.1:{door}"}
        with haproxy(own, folder / "haproxy.log", also=statistics.configuration):
            try:
                yield Stage(f"http://127.0.0.1:{door}", statistics, slots, urls)
            finally:
                for slot in slots:
                    slot.kill()
