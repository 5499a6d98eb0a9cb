"""One run: servers, replicas, clients and faults out of one seed, a calm end, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from service.cache.keys import HEARTBEAT, name_of
from tests.simulation.clients import Client, Key, Operation
from tests.simulation.faults import strike
from tests.simulation.loop import NEVER
from tests.simulation.node import Node
from tests.simulation.oracle import violations
from tests.simulation.pg_rows import Rows, State, Transaction
from tests.simulation.pg_server import PostgresServer
from tests.simulation.pg_statements import plain_update
from tests.simulation.plan import BOUND_SECONDS, STATEMENT_SECONDS, Plan
from tests.simulation.quiesce import Quiesce
from tests.simulation.redis_server import RedisServer
from tests.simulation.simulator import RunawayError, Simulator
from tests.simulation.themes import SWARM, plan_of

KIND = "thing"
LONGEST_SECONDS = 60.0
_READY_WITHIN_SECONDS = 1.5


@dataclass(slots=True)
class Result:
    """``violations`` in words; empty: all promises were kept."""

    seed: int
    plan: Plan
    violations: list[str]
    operations: int
    events: int
    seconds: float
    counts: Counter[str]
    fingerprint: float
    """The next draw after the end: equal runs have drawn equally often."""


class World:
    def __init__(self, seed: int, *, theme: str = SWARM, trace: list[str] | None = None) -> None:
        self.simulator = simulator = Simulator(seed, trace=trace)
        self.seed = seed
        self.plan = plan = plan_of(theme, simulator.rng)
        self.counts: Counter[str] = Counter()
        self.keys: list[Key] = [(KIND, name) for name in "xy"[: plan.keys]]
        self.rows = Rows(simulator)
        self.rows.history = {key: [State(0, None, -1.0)] for key in self.keys}
        self.redis = RedisServer(simulator, "redis1", self.counts, ahead=simulator.rng.uniform(-60, 60))
        self.servers = [self.redis]
        self.postgres = PostgresServer(
            simulator,
            self.rows,
            self.counts,
            commit_seconds=plan.commit_seconds,
            statement_seconds=STATEMENT_SECONDS,
        )
        self.busy_until = 0.0
        self.is_failing_over = False
        self._documents = 0
        if plan.rows_at_first:
            first = Transaction()
            for key in self.keys:
                plain_update(self.rows, first, key, self.document(key))
            self.rows.commit(first)
        self.nodes = [self._node(number) for number in range(plan.replicas)]
        self.dead: list[Node] = []
        self.clients = [Client(self, number, plan.operations) for number in range(plan.clients)]
        self.operations: list[Operation] = []

    def _node(self, number: int) -> Node:
        return Node(self.simulator, f"node{number}", self.plan, self.counts, redis=self.redis, postgres=self.postgres)

    def document(self, key: Key) -> bytes:
        """A body that was never used before, and names its key."""
        self._documents += 1
        return b'{"%s": %d}' % (key[1].encode(), self._documents)

    def later(self, delay: float, act: Callable[..., object], *args: object) -> None:
        """Part of a fault: the end of the run waits for it."""
        self.busy_until = max(self.busy_until, self.simulator.now + delay)
        self.simulator.after(delay, act, *args)

    # -- what faults do to replicas ------------------------------------------------------------------------------

    def crash(self, node: Node, *, back_after: float) -> None:
        if not node.is_alive:
            return
        self.simulator.note(node.name, "is killed")
        node.kill(tells=self.simulator.rng.random() < self.plan.goodbyes)
        for client in self.clients:
            client.lost(node)
        self.later(back_after, self._come_back, node)

    def _come_back(self, node: Node) -> None:
        place = self.nodes.index(node)
        self.dead.append(node)
        self.nodes[place] = self._node(place)
        self.simulator.note(node.name, "is started again")

    def pause(self, node: Node, seconds: float) -> None:
        if node.is_alive:
            self.simulator.note(node.name, f"stands still for {seconds:.3f} s")
            node.loop.pause()
            self.later(seconds, node.loop.resume)

    # -- the run -------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        simulator, rng, plan = self.simulator, self.simulator.rng, self.plan
        quiesce = Quiesce(self)
        self._begin_when_ready(quiesce)
        try:
            simulator.run(until=LONGEST_SECONDS)
        except RunawayError as error:
            simulator.complain(str(error))
        if not quiesce.is_done:
            simulator.complain(f"the end was not reached: {quiesce.waits_for()}")
        for node in self.nodes:
            for task in node.loop.tasks:
                if task.done() and task._log_traceback:  # type: ignore[attr-defined]
                    simulator.complain(f"{node.name}: nobody looked at the exception of {task!r}")
        found = violations(self.operations, self.rows.history, bound_seconds=BOUND_SECONDS)
        result = Result(
            self.seed, plan, simulator.complaints + found, len(self.operations), simulator.events, simulator.now,
            self.counts, rng.random(),
        )  # fmt: skip
        for operation in self.operations:
            self.counts[f"{operation.kind}: {operation.outcome}"] += 1
        self._tear_down()
        return result

    def _begin_when_ready(self, quiesce: Quiesce) -> None:
        simulator, rng, window = self.simulator, self.simulator.rng, self.plan.window
        is_ready = self.redis.memory.get(HEARTBEAT) is not None
        if not is_ready and not self.plan.begins_at_once and simulator.now < _READY_WITHIN_SECONDS:
            simulator.after(0.02, self._begin_when_ready, quiesce)
            return
        for client in self.clients:
            simulator.after(rng.random() * window * 0.5, client.step)
        for kind in self.plan.faults:
            begin, end = self.plan.moments.get(kind, (0.0, 1.0))
            simulator.after((begin + rng.random() * (end - begin)) * window, strike, self, kind)
        simulator.after(window, quiesce.begin)

    def _tear_down(self) -> None:
        """Nothing that lives on may speak any more; what is left is dropped with it."""
        for node in (*self.nodes, *self.dead):
            node.loop.is_dead = True
            for task in node.loop.tasks:
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    with suppress(RuntimeError):
                        task.get_coro().close()  # type: ignore[union-attr]
            node.loop.tasks.clear()
        self.simulator.forget()

    # -- the calm end --------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Faults heal; what has been sent still arrives when it arrives."""
        for weather in (self.plan.weather, self.plan.pg_weather):
            weather.slow_chance = weather.reset_chance = 0.0
            weather.victim = None
            weather.slow, weather.strays = {}, {}
        for node in self.nodes:
            node.loop.fuse = NEVER

    def is_vouched_for(self) -> bool:
        """Whether the server that all will find has a heartbeat, and every replica uses it."""
        heartbeat = self.redis.memory.get(HEARTBEAT)
        return heartbeat is not None and self.simulator.now > self.busy_until and all(
            node.is_alive and not node.loop.is_paused and node.address is self.redis and node.store.available
            and node.database.available
            for node in self.nodes
        )  # fmt: skip

    def is_told(self) -> bool:
        """Whether all that somebody else has committed has been visible for the bound."""
        if not any(kind in ("plain sql", "truncate", "crash") for kind in self.plan.faults):
            return True
        last = max((states[-1].since for states in self.rows.history.values()), default=0.0)
        return self.simulator.now > last + BOUND_SECONDS + 0.01

    def truth(self, key: Key) -> tuple[int, bytes | None]:
        row = self.rows.table.get(key)
        return (self.rows.truncated_version, None) if row is None else (row.version, row.body)


def cached_name(key: Key) -> str:
    return name_of(*key)


def simulate(seed: int, *, theme: str = SWARM, trace: list[str] | None = None) -> Result:
    """Run one seed of a theme. The service's modules must be reading the simulated clocks: `clock.simulated_hosts`."""
    return World(seed, theme=theme, trace=trace).run()
