"""Whether this process should get traffic, and how its surroundings are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.cache.pulse import Pulse
from service.db.pool import Database
from service.db.revision import HEAD
from service.db.sql import sql
from service.errors import SchemaMissingError, UnavailableError
from service.services.relay import Relay


@dataclass(frozen=True, slots=True)
class Readiness:
    """``components`` in words, by name."""

    ready: bool
    components: dict[str, str]


class Health:
    """Redis away: ready, and degraded. PostgreSQL away: ready only where old values may be served."""

    def __init__(self, database: Database, pulse: Pulse, relay: Relay, *, serves_stale: Callable[[], bool]) -> None:
        self.waits_for: Callable[[], str | None] = lambda: None
        """Says what else has to come first; None for nothing."""
        self.is_prepared: Callable[[], bool] = lambda: True
        """Whether what this process puts into a new database is there."""
        self.knows_keys: Callable[[], bool] | None = None
        """Whether any key can be trusted; None where none is asked for."""
        self._database = database
        self._pulse = pulse
        self._relay = relay
        self._serves_stale = serves_stale

    async def ready(self) -> Readiness:
        postgresql, schema = await self._database_state()
        if schema == "ok" and not self.is_prepared():
            schema = "ok, and the examples are being added"
        served = postgresql == "ok" and schema == "ok"
        components = {
            "postgresql": postgresql,
            "schema": schema,
            "cache": words_of_cache(self._pulse),
            "relay": self._relay.state,
        }
        waits_for = self.waits_for()
        if waits_for is not None:
            components["warming"] = waits_for
        can_answer = served or (postgresql != "ok" and self._serves_stale())
        if self.knows_keys is not None:
            can_answer = can_answer and self.knows_keys()
            components["keys"] = "ok" if self.knows_keys() else "unknown which were revoked: none is taken"
        return Readiness(ready=can_answer and waits_for is None, components=components)

    async def _database_state(self) -> tuple[str, str]:
        try:
            async with self._database.connection() as connection:
                revision = await connection.fetchval(sql("schema_revision"))
        except SchemaMissingError as error:
            return "ok", str(error)
        except UnavailableError as error:
            return str(error), "unknown"
        # A newer schema is fine: it is expanded first, and contracted when no older service runs.
        return "ok", "ok" if revision is not None and revision >= HEAD else "behind: run `aside migrate`"


def words_of_cache(pulse: Pulse) -> str:
    """`ok`, or why the cache is off."""
    if pulse.breaker.is_open:
        return "off: Redis unreachable, serving from PostgreSQL"
    if pulse.heartbeat_age_seconds == float("inf"):
        return "off: no heartbeat, serving from PostgreSQL"
    return "ok"
