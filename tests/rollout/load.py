"""Readers and writers who know of nothing but the load balancer, and the judgement over all that they were told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from tests.support.checker import violations
from tests.support.load import Operation, Traffic, reads, unanswered, writes

KEYS = [f"rollout-{number}" for number in range(24)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one campaign. ``wrong``: in words, what must not be; empty for a good one."""

    requests: int
    reads: int
    writes: int
    hits: int
    failed: list[str]
    lost: list[str]
    stale: list[str]
    slowest_seconds: float

    @property
    def words(self) -> str:
        return (
            f"{self.requests:,} requests, {self.hits:,} hits, {self.writes:,} writes:"
            f" {len(self.failed)} failed, {len(self.lost)} lost, {len(self.stale)} stale"
        )

    @property
    def wrong(self) -> list[str]:
        return [
            *(f"failed: {each}" for each in self.failed),
            *(f"lost write: {each}" for each in self.lost),
            *(f"not linearizable: {each}" for each in self.stale),
        ]


@dataclass(slots=True)
class Load:
    """``history`` grows while it lasts; what has been committed is asked of the database at the end."""

    traffic: Traffic
    history: list[Operation] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.history)


@asynccontextmanager
async def under_load(door: str, *, readers: int, writers: int, pause_seconds: float = 0.02) -> AsyncIterator[Load]:
    """Every key was written when it begins; after its end each is read once more, twice, by everybody's way."""
    async with Traffic([door], clients=4) as traffic:
        await asyncio.gather(*[traffic.write(key) for key in KEYS])
        load = Load(traffic, traffic.history)
        async with (
            traffic.hammering(KEYS, readers=readers, pause_seconds=pause_seconds),
            traffic.hammering(KEYS, readers=0, writers=writers, pause_seconds=4 * pause_seconds),
        ):
            yield load
        for _ in range(2):
            await asyncio.gather(*[traffic.read(key) for key in KEYS])


async def judged(load: Load, database_url: str) -> Verdict:
    history = load.history
    acknowledged = [operation for operation in writes(history) if operation.is_answered]
    return Verdict(
        requests=len(history),
        reads=len(reads(history)),
        writes=len(acknowledged),
        hits=sum(operation.outcome == "hit" for operation in history),
        failed=[_described(operation) for operation in unanswered(history)],
        lost=[_described(each) for each in lost(acknowledged, await committed(database_url))],
        stale=violations(history),
        slowest_seconds=max(operation.seconds for operation in history),
    )


async def committed(database_url: str) -> set[tuple[str, int]]:
    """The keys and versions of all changes, as PostgreSQL noted them in the transactions that made them."""
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT id, version FROM change WHERE entity_type = 'thing'")
    await connection.close()
    return {(row["id"], row["version"]) for row in rows}


def lost(acknowledged: Sequence[Operation], known: set[tuple[str, int]]) -> list[Operation]:
    """What was acknowledged, and PostgreSQL knows nothing of. That later reads show it, the checker sees to."""
    return [each for each in acknowledged if (each.key, each.version) not in known]


def _described(operation: Operation) -> str:
    what = "PUT" if operation.is_write else "GET"
    return f"{what} {operation.key}: {operation.status} {operation.problem or operation.body[:200]!r}"
