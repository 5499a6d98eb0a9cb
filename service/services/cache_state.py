"""How the cache and its surroundings are, as this process sees them: on or off and since when, the heartbeat, the
server's memory, and whether PostgreSQL answers.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from service.cache.probe import Memory, Probe
from service.cache.pulse import Pulse
from service.db.pool import Database
from service.errors import CacheUnavailableError
from service.services.audit import Audit
from service.services.health import words_of_cache
from service.services.relay import Relay


@dataclass(frozen=True, slots=True)
class DatabaseSeen:
    """``away_seconds`` is 0 while PostgreSQL is available."""

    available: bool
    away_seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """``state`` says in words why the cache is off; ``since_seconds`` is how long it has been on, or off.

    ``heartbeat_age_seconds`` is None where there is no heartbeat, ``memory`` where Redis does not tell.
    """

    is_on: bool
    state: str
    since_seconds: float
    heartbeat_age_seconds: float | None
    relay: str
    audit: str
    bound_seconds: float
    memory: Memory | None
    database: DatabaseSeen


class CacheState:
    """Waits for nobody longer than one exchange with Redis may take; during an outage, not at all."""

    def __init__(
        self, pulse: Pulse, relay: Relay, probe: Probe, audit: Audit, database: Database, *, bound_seconds: float
    ) -> None:
        self._pulse = pulse
        self._relay = relay
        self._probe = probe
        self._audit = audit
        self._database = database
        self._bound_seconds = bound_seconds

    async def look(self) -> Seen:
        try:
            memory = await self._probe.memory()
        except CacheUnavailableError:
            memory = None
        age = self._pulse.heartbeat_age_seconds
        return Seen(
            is_on=self._pulse.is_on,
            state=words_of_cache(self._pulse),
            since_seconds=time.monotonic() - self._pulse.changed_at,
            heartbeat_age_seconds=age if math.isfinite(age) else None,
            relay=self._relay.state,
            audit=self._audit.state,
            bound_seconds=self._bound_seconds,
            memory=memory,
            database=DatabaseSeen(self._database.available, self._database.unavailable_seconds),
        )
