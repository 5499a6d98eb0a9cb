"""The calm end of a run: all faults heal, and everything must come together again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from service.cache.entry import NO_WISH, Outcome
from service.domain.entity import EntityKey
from service.errors import AsideError
from tests.simulation.clients import FOREVER, Operation
from tests.simulation.plan import BOUND_SECONDS

if TYPE_CHECKING:
    from tests.simulation.clients import Key
    from tests.simulation.node import Node
    from tests.simulation.world import World

_LOOK_SECONDS = 0.05
_SETTLES_WITHIN_SECONDS = 14 * BOUND_SECONDS
_READS = 50
_LAST_LOOKS = 200


class Quiesce:
    """Waits for clients and faults, then for the heartbeat, then reads every key everywhere until it hits."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waits_for = "the window"
        self._since = FOREVER
        self._readers = 0
        self._looks = 0
        self.is_done = False

    def waits_for(self) -> str:
        return self._waits_for

    def begin(self) -> None:
        self._world.calm()
        self._look()

    def _look(self) -> None:
        world, simulator = self._world, self._world.simulator
        if not all(client.is_done for client in world.clients):
            self._waits_for = "clients"
        elif not world.is_vouched_for() or world.rows.locked:
            self._waits_for = "a heartbeat that every replica can use"
            self._since = min(self._since, simulator.now)
            if simulator.now > self._since + _SETTLES_WITHIN_SECONDS:
                simulator.complain(f"no heartbeat {_SETTLES_WITHIN_SECONDS} s after the last fault")
                simulator.stop()
        elif not world.is_told():
            self._waits_for = "the bound after the last change"
        else:
            self._waits_for = "the last reads"
            simulator.note("world", "all is calm: the last reads")
            for node in world.nodes:
                for key in world.keys:
                    self._readers += 1
                    node.loop.create_task(self._read(node, key))
            return
        simulator.after(_LOOK_SECONDS, self._look)

    async def _read(self, node: Node, key: Key) -> None:
        """Some reads may still find leases or short lives; one must hit, and none may be wrong."""
        world, outcome = self._world, ""
        for tries in range(_READS):
            operation = Operation("last", key, node.name, world.simulator.now)
            world.operations.append(operation)
            try:
                answer = await node.entities.get(EntityKey(*key), NO_WISH)
            except AsideError as error:
                operation.outcome = type(error).__name__
                outcome = repr(error)
                await asyncio.sleep(BOUND_SECONDS / 8)
                continue
            operation.ended = world.simulator.now
            operation.version, operation.body = answer.version, answer.body
            operation.outcome, operation.binds = answer.outcome.value, answer.outcome is not Outcome.STALE
            outcome = f"{answer.outcome} {answer.detail}"
            if answer.outcome in (Outcome.HIT, Outcome.NEGATIVE_HIT):
                break
            if tries > 2:
                await asyncio.sleep(BOUND_SECONDS / 8)
        else:
            world.counts["no hit at the end"] += 1
            if world.plan.policy.ttl_seconds > 1 and world.plan.lease_ms < BOUND_SECONDS * 1000:
                world.simulator.complain(f"{node.name} does not hit {key[1]} at the end: {outcome}")
        version, body = world.truth(key)
        seen = operation.version or (version if operation.body is None else 0)
        if (seen, operation.body) != (version, body) and operation.binds:
            self._too_old(node, key, operation)
        self._readers -= 1
        if self._readers == 0:
            world.simulator.after(0.01, self._end)

    def _too_old(self, node: Node, key: Key, operation: Operation) -> None:
        """Only what plain SQL did within the last moments may still be missing."""
        last = self._world.rows.history[key][-1]
        if operation.began > last.since + BOUND_SECONDS:
            self._world.simulator.complain(
                f"{node.name} ends with {key[1]} version {operation.version}, PostgreSQL has {last.version}"
            )

    def _end(self) -> None:
        """Whoever was waited for has ended: nothing may be left over. A relay may be asking something just now."""
        world = self._world
        left = [f"{node.name} still runs {task}" for node in world.nodes for task in node.unfinished()]
        lost = [f"{node.name} has a pooled connection out" for node in world.nodes if node.missing_connections()]
        if left or lost:
            self._looks += 1
            if self._looks < _LAST_LOOKS:
                world.simulator.after(0.02 + world.simulator.rng.random() * 0.06, self._end)
                return
        for line in left + lost:
            world.simulator.complain(f"at the end {line}")
        self.is_done = True
        world.simulator.stop()
