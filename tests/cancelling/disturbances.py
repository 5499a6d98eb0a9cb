"""What happens to the servers during a storm, now and then: all is forgotten, or all connections are cut."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import asyncpg

from tests.cancelling.findings import Findings
from tests.support.valkey_commands import command

_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'aside'"""


class Disturbances:
    """One after the other, each time that so many more requests were cancelled."""

    def __init__(self, findings: Findings, *, database_url: str, redis_url: str, every: int) -> None:
        self._findings = findings
        self._database_url = database_url
        self._redis_url = redis_url
        self._every = every
        self._next_at = every // 2
        self._kinds: itertools.cycle[Callable[[], Awaitable[None]]] = itertools.cycle(
            (self.forget, self.cut_redis, self.forget, self.end_backends)
        )

    async def maybe(self) -> None:
        if self._findings.cancelled.total() < self._next_at:
            return
        self._next_at += self._every
        disturb = next(self._kinds)
        await disturb()
        self._findings.disturbances[disturb.__name__] += 1

    async def forget(self) -> None:
        await asyncio.to_thread(command, self._redis_url, "FLUSHALL")

    async def cut_redis(self) -> None:
        await asyncio.to_thread(command, self._redis_url, "CLIENT", "KILL", "TYPE", "normal")

    async def end_backends(self) -> None:
        connection = await asyncpg.connect(self._database_url)
        await connection.execute(_END_OTHERS)
        await connection.close()
