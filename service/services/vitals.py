"""Tells the recorder how this process finds its surroundings: every second what it knows, now and then what it asks.

Gauges are set here, not when they are scraped: of several workers only one answers a scrape, and it shows what all of
them have set.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import structlog

from service.cache.probe import Probe
from service.cache.pulse import Pulse
from service.cache.recorder import Recorder
from service.db.pool import Database
from service.errors import CacheUnavailableError
from service.services.audit import Audit
from service.services.health import Health
from service.services.loading import SourceLoader
from service.services.policies import Policies
from service.services.relay import Relay

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_ASK_SECONDS = 5.0
"""One INFO to Redis, and one short query to PostgreSQL; nothing to a server that is away."""


class Vitals:
    """Looks as long as the process runs. Waits for a server no longer than anybody does: its gauges are late then."""

    def __init__(
        self, recorder: Recorder, *, database: Database, loader: SourceLoader, pulse: Pulse, probe: Probe,
        relay: Relay, audit: Audit, health: Health, policies: Policies,
    ) -> None:  # fmt: skip
        self._recorder = recorder
        self._database = database
        self._loader = loader
        self._pulse = pulse
        self._probe = probe
        self._relay = relay
        self._audit = audit
        self._health = health
        self._policies = policies
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        ask_at = time.monotonic()
        while True:
            try:
                self.look()
                if ask_at <= time.monotonic():
                    ask_at = time.monotonic() + _ASK_SECONDS
                    await self.ask()
            except Exception:
                # This loop owns whatever else may happen here: gauges that stand still would tell of yesterday.
                log.exception("vitals_failed")
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """What the process knows without asking."""
        self._recorder.condition(
            redis_up=not self._pulse.breaker.is_open,
            cache_on=self._pulse.is_on,
            postgresql_up=self._database.available,
            relay_leads=self._relay.state == "leading",
            audit_runs=self._audit.state == "running",
        )
        self._recorder.entity_types(self._policies.types())
        for share, busy, allowed in self._connections():
            self._recorder.connections(share, busy, allowed)

    def _connections(self) -> Iterator[tuple[str, int, int]]:
        usage, loads = self._database.usage, self._loader.in_flight
        most_loads = self._loader.most_in_flight
        yield "load", loads, most_loads
        yield "write", usage.writing, usage.most_writing
        yield "browse", usage.browsing, usage.most_browsing
        # A load waits for its connection no longer than for its answer: both count as a load.
        yield "spare", max(0, usage.others - loads), usage.most_others - most_loads
        yield "relay", int(self._relay.state == "leading"), 1  # outside the pool

    async def ask(self) -> None:
        """What only the servers know."""
        schema = (await self._health.ready()).components["schema"]
        if schema != "unknown":
            self._recorder.schema(is_current=schema == "ok")
        try:
            memory = await self._probe.memory()
        except CacheUnavailableError:
            return
        self._recorder.redis_memory(
            used_bytes=memory.used_bytes,
            limit_bytes=memory.limit_bytes,
            evicted_keys=memory.evicted_keys,
            can_evict=memory.policy != "noeviction",
        )
