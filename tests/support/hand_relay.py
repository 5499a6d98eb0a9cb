"""The relay, one poll at a time: a test decides when it leads, when it polls, and where in a poll it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from service.cache.grants import Grant, Granted, Granter, Watermark
from service.cache.lane import connector
from service.cache.recorder import NullRecorder
from service.db.changes import Poll, RelaySession
from service.parts import build_database
from service.services.relay import Reign
from service.settings import Settings
from tests.support.gates import Gate


class GatedGranter(Granter):
    """The relay's side of Redis, with a gate before each step that follows its look at the clock."""

    watching: Gate
    granting: Gate

    async def watermark(self) -> Watermark | None:
        await self.watching.passing()
        return await super().watermark()

    async def grant(self, grant: Grant) -> Granted:
        await self.granting.passing()
        return await super().grant(grant)


class GatedSession(RelaySession):
    """The relay's side of PostgreSQL, with a gate after its look at the changes."""

    polled: Gate
    knows_types: bool = True
    """False: as a version before epochs of types, which does not tell the cache of them."""

    async def poll(self, since: str, *, page_size: int) -> Poll:
        poll = await super().poll(since, page_size=page_size)
        await self.polled.passing()
        return poll if self.knows_types else replace(poll, type_epochs="")


class HandRelay:
    """A reign of its own: `poll` is one poll, `resign` ends the leadership."""

    def __init__(self, reign: Reign, session: GatedSession, granter: GatedGranter) -> None:
        self._reign = reign
        self.session = session
        self.polled = session.polled
        self.watching = granter.watching
        self.granting = granter.granting

    async def poll(self) -> Granted | None:
        return await self._reign.poll()

    async def carry(self) -> None:
        """One poll that must succeed."""
        granted = await self.poll()
        assert granted is Granted.GRANTED, f"the poll ended with {granted!r}"


@asynccontextmanager
async def hand_relay(settings: Settings, *, page_size: int = 100) -> AsyncIterator[HandRelay]:
    """Lead. There must be no other leader of this database."""
    database = build_database(settings)
    granter = GatedGranter(connector(settings.redis_url.get_secret_value()), NullRecorder(), timeout_seconds=5)
    granter.watching = Gate("before the relay reads the watermark")
    granter.granting = Gate("before the relay's script")
    session = await GatedSession.lead(database, idle_seconds=60)
    assert isinstance(session, GatedSession), "another relay leads"
    session.polled = Gate("after the relay's look at the changes")
    try:
        term = await session.new_term()
        reign = Reign(
            session, granter, NullRecorder(), term=term, bound_seconds=settings.bound_seconds, page_size=page_size
        )
        yield HandRelay(reign, session, granter)
    finally:
        for gate in (session.polled, granter.watching, granter.granting):
            gate.release()
        session.close()
        await granter.close()
        await database.close()
