"""The relay, one poll at a time: a test decides when it leads, when it polls, and where in a poll it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service import wiring
from service.cache.grants import Grant, Granted, Granter, Watermark
from service.cache.lane import connector
from service.cache.recorder import NullRecorder
from service.db.changes import RelaySession
from service.services.relay import Reign
from service.settings import Settings
from tests.support.gates import Gate


class GatedGranter(Granter):
    """The relay's side of Redis, with a gate after its look at the clock and before each of the others."""

    clocked: Gate
    watching: Gate
    granting: Gate

    async def now_ms(self) -> int:
        now_ms = await super().now_ms()
        await self.clocked.passing()
        return now_ms

    async def watermark(self) -> Watermark | None:
        await self.watching.passing()
        return await super().watermark()

    async def grant(self, grant: Grant) -> Granted:
        await self.granting.passing()
        return await super().grant(grant)


class HandRelay:
    """A reign of its own: `poll` is one poll, `resign` ends the leadership."""

    def __init__(self, reign: Reign, granter: GatedGranter) -> None:
        self._reign = reign
        self.clocked = granter.clocked
        self.watching = granter.watching
        self.granting = granter.granting

    @property
    def session(self) -> RelaySession:
        return self._reign.session

    async def poll(self) -> Granted | None:
        return await self._reign.poll()

    async def carry(self) -> None:
        """One poll that must succeed."""
        granted = await self.poll()
        assert granted is Granted.GRANTED, f"the poll ended with {granted!r}"


@asynccontextmanager
async def hand_relay(settings: Settings, *, page_size: int = 100) -> AsyncIterator[HandRelay]:
    """Lead. There must be no other leader of this database."""
    database = wiring._database(settings)
    granter = GatedGranter(connector(settings.redis_url.get_secret_value()), NullRecorder(), timeout_seconds=5)
    granter.clocked = Gate("after the relay's look at Redis's clock")
    granter.watching = Gate("before the relay reads the watermark")
    granter.granting = Gate("before the relay's script")
    session = await RelaySession.lead(database, idle_seconds=60)
    assert session is not None, "another relay leads"
    try:
        term = await session.new_term()
        reign = Reign(
            session, granter, NullRecorder(), term=term, bound_seconds=settings.bound_seconds, page_size=page_size
        )
        yield HandRelay(reign, granter)
    finally:
        for gate in (granter.clocked, granter.watching, granter.granting):
            gate.release()
        session.close()
        await granter.close()
        await database.close()
