"""An audit over a replica of a test, and entries that should not be there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.cache.keys import cache_key
from service.cache.probe import Probe
from service.cache.served import Served
from service.services.audit import Audit
from tests.support.replica import KIND, Replica
from tests.support.waiting import lasting
from tests.support.world import World

BOUND_SECONDS = 0.05
"""The audit's B, which is shorter than the world's: what the world's relay has not carried yet is stale to it."""


class HandAudit:
    """Looks when it is told to. All keys of Redis are drawn in one batch."""

    def __init__(
        self, replica: Replica, *, bound_seconds: float = BOUND_SECONDS, give_up_seconds: float = 30.0
    ) -> None:
        self.replica = replica
        self.recording = replica.recorder
        self.served = Served(one_in=1)
        self.bound_seconds = bound_seconds
        self.audit = Audit(
            Probe(replica.redis, replica.recorder),
            replica.redis,
            lambda _: replica.source,
            replica.recorder,
            served=self.served,
            is_database_available=lambda: True,
            bound_seconds=bound_seconds,
            samples_per_second=50,
            give_up_seconds=give_up_seconds,
        )

    async def sample(self) -> None:
        """The first two looks."""
        await self.audit.sample()

    async def judge(self) -> None:
        """All four looks."""
        await self.sample()
        await self.look_again()

    async def look_again(self) -> None:
        """The third and fourth, as soon as they mean anything."""
        await lasting(self.bound_seconds * 1.1)
        await self.audit.look_again()

    @property
    def checked(self) -> int:
        return self.recording.count("audit_checked")

    @property
    def suspects(self) -> int:
        return self.recording.count("audit_suspect")

    @property
    def stale(self) -> int:
        return self.recording.count("audit_stale")


async def plant(
    world: World, version: int, *, entity_id: str = "x", kind: str = KIND, generation: str = "", body: str | None = "{}"
) -> None:
    """Put an entry there past every safeguard, of the generation that is vouched for if none is given."""
    generation = generation or (await world.redis("GET", "aside:hb")).partition("|")[2]
    name, far = f"{kind}:{entity_id}", 10**15
    head = f"{'N1' if body is None else 'V1'} {version} {generation} 1 1 {far} {far} 1 {name}\n"
    await world.redis("SET", cache_key(name), head + (body or ""))


@asynccontextmanager
async def running(audit: Audit) -> AsyncIterator[Audit]:
    """Its loop, ended at the end."""
    audit.start()
    try:
        yield audit
    finally:
        await audit.stop()
