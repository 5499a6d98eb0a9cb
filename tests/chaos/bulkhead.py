"""How many connections are in use, and what is left over at the end."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.other_faults import DATABASE_ERRORS
from tests.chaos.plan import REPLICAS
from tests.chaos.stage import (
    BROWSE_CONNECTIONS,
    LOAD_CONNECTIONS,
    OTHER_CONNECTIONS,
    WRITE_CONNECTIONS,
    Session,
    Stage,
)
from tests.support.valkey_commands import command

POOL = LOAD_CONNECTIONS + WRITE_CONNECTIONS + BROWSE_CONNECTIONS + OTHER_CONNECTIONS
LANES = 2
REDIS_CONNECTIONS = 4 * LANES + 7
_BUSY = """
SELECT client_addr::text AS replica, count(*) AS connected, count(*) FILTER (WHERE state = 'active') AS busy,
       count(*) FILTER (WHERE state = 'active' AND query LIKE '-- load%') AS loading
FROM pg_stat_activity WHERE application_name = 'aside' GROUP BY 1"""
_IN_FLIGHT = re.compile(r"^aside_db_loads_in_flight(?:\{[^}]*\})? ([0-9.]+)", re.MULTILINE)


@dataclass
class Busy:
    """The highest of everything, per replica, as each side saw it."""

    connected: list[int] = field(default_factory=lambda: [0] * REPLICAS)
    busy: list[int] = field(default_factory=lambda: [0] * REPLICAS)
    loading: list[int] = field(default_factory=lambda: [0] * REPLICAS)
    in_flight: list[float] = field(default_factory=lambda: [0.0] * REPLICAS)
    open_to_postgres: list[int] = field(default_factory=lambda: [0] * REPLICAS)
    open_to_redis: list[int] = field(default_factory=lambda: [0] * REPLICAS)
    looks: int = 0
    links_late_seconds: float = 0.0
    """The most that the loop of the links was late."""


class Bulkhead:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.most = Busy()

    async def watch(self, *, every_seconds: float = 0.2) -> None:
        """For ever: PostgreSQL's list of activities each time, the replicas' own figure each tenth."""
        client = httpx.AsyncClient(timeout=1.0, trust_env=False, verify=False)
        with self._stage.session(command_timeout=2) as session:
            async with client:
                await self._look(session, client, every_seconds)

    async def _look(self, session: Session, client: httpx.AsyncClient, every_seconds: float) -> None:
        while True:
            await asyncio.sleep(every_seconds)
            try:
                self._note(await (await session.get()).fetch(_BUSY))
            except DATABASE_ERRORS:
                session.drop()
            if self.most.looks % 10 == 0:
                await self._scrape(client)

    def _note(self, records: list[Any]) -> None:
        self.most.looks += 1
        for record in records:
            number = int(record["replica"].partition("/")[0].rpartition(".")[2]) - 11
            if 0 <= number < REPLICAS:
                for name in ("connected", "busy", "loading"):
                    highest = getattr(self.most, name)
                    highest[number] = max(highest[number], record[name])

    async def _scrape(self, client: httpx.AsyncClient) -> None:
        for number, replica in enumerate(self._stage.replicas):
            with suppress(httpx.HTTPError):
                text = (await client.get(f"{replica.url}/metrics")).text
                now = sum(float(value) for value in _IN_FLIGHT.findall(text))
                self.most.in_flight[number] = max(self.most.in_flight[number], now)

    async def ask_links(self) -> None:
        """The exact maxima: a link counts each connection that is made through it, for as long as it is open."""
        for number in range(REPLICAS):
            self.most.open_to_postgres[number] = (await self._stage.links.do(f"postgres-{number}", "look"))["most_open"]
            redis = await self._stage.links.do(f"redis-{number}", "look")
            self.most.open_to_redis[number] = redis["most_open"]
            self.most.links_late_seconds = max(self.most.links_late_seconds, redis["latest"])

    def faults(self) -> list[str]:
        """Where a configured number was exceeded."""
        limits = {"in_flight": LOAD_CONNECTIONS, "open_to_postgres": POOL, "open_to_redis": REDIS_CONNECTIONS}
        return [
            f"replica {number}: {name} reached {value:g}, and {limit} are configured"
            for name, limit in limits.items()
            for number, value in enumerate(getattr(self.most, name))
            if value > limit
        ]


async def leaks(stage: Stage) -> tuple[list[str], dict[str, Any]]:
    """After the last fault, with no client left: sockets that belong to no known connection, and what was counted."""
    connection = await stage.database()
    try:
        backends = Counter({record["replica"]: record["connected"] for record in await connection.fetch(_BUSY)})
    finally:
        await connection.close()
    listed = await asyncio.to_thread(command, stage.redis.primary.url, "CLIENT", "LIST") or ""
    found: list[str] = []
    counts: dict[str, Any] = {}
    for number, replica in enumerate(stage.replicas):
        address = f"127.0.0.{11 + number}"
        open_links = [(await stage.links.do(f"{server}-{number}", "look"))["open"] for server in ("postgres", "redis")]
        in_postgres = sum(count for name, count in backends.items() if name.partition("/")[0] == address)
        in_redis = len(re.findall(rf" addr={re.escape(address)}:", listed))
        sockets, descriptors = _sockets(replica.pid)
        counts[f"replica-{number}"] = {
            "links to PostgreSQL": open_links[0], "its backends": in_postgres, "links to Redis": open_links[1],
            "its clients": in_redis, "connected sockets": sockets, "file descriptors": descriptors,
        }  # fmt: skip
        if in_postgres != open_links[0] or in_redis != open_links[1] or sockets > sum(open_links):
            found.append(f"replica {number} leaks connections: {counts[f'replica-{number}']}")
    return found, counts


def _sockets(pid: int) -> tuple[int, int]:
    """Connected TCP sockets of a process, and all its descriptors."""
    inodes = set()
    descriptors = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            descriptors += 1
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    connected = 0
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and fields[3] != "0A":  # 0A: it listens
            connected += 1
    return connected, descriptors
