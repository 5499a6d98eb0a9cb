"""One replica: the service's own object graph on a simulated host."""

from __future__ import annotations

from asyncio.events import _set_running_loop
from collections import Counter
from types import SimpleNamespace
from typing import Any

from service.cache.entry import Outcome
from service.cache.grants import Granter
from service.cache.recorder import NullRecorder
from service.cache.redis_store import RedisStore
from service.cache.tasks import Tasks
from service.db.batches import BatchTable
from service.db.entities import EntityTable
from service.db.ledger import LedgerTable
from service.db.repeats import RepeatTable
from service.parts import build_engine
from service.services.entities import Entities
from service.services.loading import BatchedLedger, SourceLoader
from service.services.relay import Relay
from service.services.repeats import Repeats
from tests.simulation import plan as parameters
from tests.simulation.clock import CHANCE
from tests.simulation.loop import Loop
from tests.simulation.network import Link
from tests.simulation.pg_server import PostgresServer
from tests.simulation.pg_wire import SimulatedDatabase
from tests.simulation.plan import Plan
from tests.simulation.redis_server import RedisServer
from tests.simulation.redis_wire import RedisWire
from tests.simulation.simulator import EPOCH_SECONDS, Simulator

_SETTINGS: Any = SimpleNamespace(
    bound_seconds=parameters.BOUND_SECONDS,
    limits=SimpleNamespace(absent_per_second=1e9),
    redis=SimpleNamespace(
        lease_wait_seconds=parameters.LEASE_WAIT_SECONDS, request_budget_seconds=parameters.BUDGET_SECONDS
    ),
)


class Counting(NullRecorder):
    """Counts what a campaign wants to know, and sees that no more loads run at once than are configured."""

    def __init__(self, simulator: Simulator, counts: Counter[str], *, loads_at_once: int) -> None:
        self._simulator = simulator
        self._counts = counts
        self._loads_at_once = loads_at_once
        self._loads = 0

    def read(self, entity_type: str, outcome: Outcome, count: int = 1) -> None:
        self._counts[f"read {outcome}"] += count

    def load_started(self, batch_size: int) -> None:
        self._loads += 1
        if self._loads > self._loads_at_once:
            self._simulator.complain(f"{self._loads} loads at once, {self._loads_at_once} are allowed")

    def load_ended(self, seconds: float) -> None:
        self._loads -= 1

    def early_refresh(self, entity_type: str) -> None:
        self._counts["early refresh"] += 1

    def lease_wait(self, seconds: float) -> None:
        self._counts["lease wait"] += 1

    def write(self, result: str) -> None:
        self._counts[f"write {result}"] += 1


class Node:
    """``address`` is the Redis server that this host's resolver names at present."""

    def __init__(
        self, simulator: Simulator, name: str, plan: Plan, counts: Counter[str], *, redis: RedisServer,
        postgres: PostgresServer,
    ) -> None:  # fmt: skip
        rng = simulator.rng
        self.name = name
        self.address = redis
        self.loop = loop = Loop(
            simulator, name, offset=10_000 + rng.uniform(-3600, 3600), wall=EPOCH_SECONDS + rng.uniform(-3600, 3600)
        )
        self.redis_link = Link(simulator, loop, plan.weather, name)
        self.pg_link = Link(simulator, loop, plan.pg_weather, name)
        self._wires = 0
        simulator.host.loop = loop
        _set_running_loop(loop)
        recorder = Counting(simulator, counts, loads_at_once=plan.load_connections)
        self.database = SimulatedDatabase(
            self.pg_link,
            postgres,
            load_connections=plan.load_connections,
            write_connections=2,
            connect_timeout_seconds=parameters.CONNECT_SECONDS,
            statement_timeout_seconds=parameters.STATEMENT_SECONDS,
        )
        self.store = RedisStore(
            self._connect,
            recorder,
            timeout_seconds=parameters.OPERATION_SECONDS,
            lease_ms=plan.lease_ms,
            lanes=1,
            fails_over=plan.fails_over,
            bound_seconds=parameters.BOUND_SECONDS,
        )
        table = EntityTable(self.database, max_body_bytes=1 << 20)
        self.loader = SourceLoader(
            table,
            recorder,
            in_flight=plan.load_connections,
            batch_size=10,
            timeout_seconds=parameters.STATEMENT_SECONDS,
        )
        self.ledger = BatchedLedger(LedgerTable(self.database))
        self.tasks = Tasks()
        self.engine = build_engine(
            _SETTINGS, store=self.store, loader=self.loader, ledger=self.ledger, tasks=self.tasks, recorder=recorder
        )
        self.engine._draw = self.engine._loads._draw = CHANCE.random
        policy = plan.policy
        self.policy = policy
        batches = BatchTable(self.database, max_body_bytes=1 << 20)
        repeats = Repeats(self.engine, RepeatTable(self.database), self.tasks)
        self.entities = Entities(
            self.engine, table, self.tasks, recorder, lambda _: policy, batches=batches, repeats=repeats
        )
        self.relay = Relay(
            self.database,
            Granter(
                self._connect,
                recorder,
                timeout_seconds=parameters.OPERATION_SECONDS,
                reopen_seconds=2 * parameters.BOUND_SECONDS if plan.fails_over else None,
            ),
            recorder,
            bound_seconds=parameters.BOUND_SECONDS,
            poll_seconds=plan.poll_seconds,
            page_size=plan.page_size,
            change_retention_seconds=3600,
            tombstone_retention_seconds=3600,
            on_history=self.store.expect_history,
        )
        self.store.pulse.start()
        self.relay.start()
        _set_running_loop(None)

    def _connect(self) -> Any:
        self._wires += 1
        return RedisWire(self.redis_link, lambda: self.address, f"r{self._wires}")

    @property
    def is_alive(self) -> bool:
        return not self.loop.is_dead

    def kill(self, *, tells: bool) -> None:
        """``tells`` False: the host is gone with it, and nobody says goodbye to the servers."""
        self.loop.die()
        for link in (self.redis_link, self.pg_link):
            for channel in link.channels:
                if tells or channel.server.__class__ is RedisServer:
                    channel.close()

    def unfinished(self) -> list[str]:
        """What still runs although nobody waits for anything."""
        expected = {self.relay._task, self.store.pulse._task, self.database._probe}
        return [repr(task.get_coro()) for task in self.loop.tasks if not task.done() and task not in expected]

    def missing_connections(self) -> int:
        """Connections of the pool that nobody gave back."""
        return self.database._lending.busy
