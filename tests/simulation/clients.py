"""Clients: each does a few operations, one after the other, at whatever replica it meets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cache.entry import NO_WISH, Answer, Outcome, Settled, Wish
from service.domain.entity import ALWAYS, EntityKey, WriteCondition
from service.errors import AsideError, NotCachedError, UnavailableError
from tests.support.glancing import get_by_glance

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

Key = tuple[str, str]
FOREVER = float("inf")
ECHO = -1
"""In place of a number of operations: this client asks once, after somebody else's answer."""


@dataclass(slots=True, eq=False)
class Operation:
    """One request, as its client saw it. ``ended`` is infinite where it got no answer; times are true time, in s.

    ``binds``: what it says must never be unsaid (a success, not called stale, not a write that did not wait).
    """

    kind: str
    key: Key
    node: str
    began: float
    ended: float = FOREVER
    version: int = 0
    body: bytes | None = None
    outcome: str = "unanswered"
    binds: bool = False
    pauses: int = 0


class Client:
    """``step`` begins the next operation; the next comes a while after its end."""

    def __init__(self, world: World, number: int, operations: int) -> None:
        self._world = world
        self._number = number
        self._left = operations
        self._known: dict[Key, int] = {}
        self.is_done = False
        self.current: Operation | None = None
        self.node: Node | None = None

    def step(self) -> None:
        world = self._world
        rng = world.simulator.rng
        nodes = [node for node in world.nodes if node.is_alive]
        if self._left <= 0 or not nodes:
            if self._left <= 0:
                self.is_done = True
            else:
                world.simulator.after(0.1, self.step)
            return
        self._left -= 1
        node = world.nodes[self._number % len(world.nodes)] if world.plan.stays else nodes[0]
        if not world.plan.stays or not node.is_alive:
            node = nodes[int(rng.random() * len(nodes))]
        key = world.keys[int(rng.random() * len(world.keys))]
        writes = rng.random() < world.plan.writes
        kinds = world.plan.write_kinds if writes else world.plan.read_kinds
        kind = kinds[int(rng.random() * len(kinds))]
        self._start(node, kind, key)
        if rng.random() < world.plan.cancels:
            task = node.loop.tasks[-1]
            world.simulator.after(rng.random() * world.plan.weather.delay * 8, node.loop.call_soon, task.cancel)

    def _start(self, node: Node, kind: str, key: Key) -> None:
        world = self._world
        operation = Operation(kind, key, node.name, world.simulator.now)
        world.operations.append(operation)
        self.current, self.node = operation, node
        if world.simulator.trace is not None:
            world.simulator.note(f"client {self._number}", f"asks {node.name}: {kind} {key[1]}")
        node.loop.create_task(self._perform(node, operation))

    async def _perform(self, node: Node, operation: Operation) -> None:
        try:
            await self._ask(node, operation)
        except asyncio.CancelledError:
            operation.outcome = "cancelled"
        except AsideError as error:
            operation.ended = self._world.simulator.now
            operation.outcome = type(error).__name__
        except Exception as error:  # noqa: BLE001 - whatever else comes out is a violation
            operation.outcome = repr(error)
            self._world.simulator.complain(f"{operation.kind} at {node.name}: {error!r}")
        self._finished(operation)

    async def _ask(self, node: Node, operation: Operation) -> None:
        key = EntityKey(*operation.key)
        known = self._known.get(operation.key, 0)
        kind = operation.kind
        if kind == "get-many":
            await self._ask_many(node, operation)
        elif kind == "get" and self._left % 2:
            self._answered(operation, await get_by_glance(node.entities, key))
        elif kind in ("get", "no-cache", "min-version"):
            wish = NO_WISH if kind == "get" else Wish(no_cache=True) if kind == "no-cache" else Wish(min_version=known)
            self._answered(operation, await node.entities.get(key, wish))
        else:
            await self._write(node, operation, key, known)

    async def _write(self, node: Node, operation: Operation, key: EntityKey, known: int) -> None:
        wait = self._world.simulator.rng.random() < 0.85
        condition = ALWAYS
        if operation.kind in ("match", "delete") and known:
            condition = WriteCondition(if_match=frozenset([known]))
        elif operation.kind == "create":
            condition = WriteCondition(must_be_absent=True)
        if operation.kind == "delete":
            written = await node.entities.delete(key, condition=ALWAYS, wait=wait)
        else:
            document = self._world.document(operation.key)
            written = await node.entities.put(key, document, condition=condition, ttl_seconds=None, wait=wait)
        operation.ended = self._world.simulator.now
        operation.version, operation.body = written.row.version, written.row.body
        operation.outcome = written.settled.value
        operation.binds = wait or written.settled is Settled.APPLIED
        if not operation.binds:
            operation.outcome = "not waited for"
        self._known[operation.key] = operation.version

    async def _ask_many(self, node: Node, operation: Operation) -> None:
        keys = self._world.keys
        answers = await node.engine.get_many([f"{kind}:{name}" for kind, name in keys], node.policy)
        for key, answer in zip(keys, answers, strict=True):
            if key == operation.key:
                if isinstance(answer, NotCachedError | UnavailableError):
                    raise answer
                self._answered(operation, answer)
            elif isinstance(answer, Answer):
                other = Operation("get-many", key, node.name, operation.began, pauses=operation.pauses)
                self._world.operations.append(other)
                self._answered(other, answer)

    def _answered(self, operation: Operation, answer: Answer) -> None:
        operation.ended = self._world.simulator.now
        operation.version, operation.body = answer.version, answer.body
        operation.outcome = answer.outcome.value
        operation.binds = answer.outcome is not Outcome.STALE
        self._known[operation.key] = max(operation.version, self._known.get(operation.key, 0))

    def _finished(self, operation: Operation) -> None:
        simulator = self._world.simulator
        if self.current is not operation:
            return
        self.current = None
        if simulator.trace is not None:
            simulator.note(
                f"client {self._number}",
                f"is answered by {operation.node}: {operation.outcome} version {operation.version} {operation.body!r}",
            )
        simulator.after(simulator.rng.random() * self._world.plan.think_seconds, self.step)
        plan = self._world.plan
        if plan.echoes and self._left >= 0 and operation.binds and simulator.rng.random() < plan.echoes:
            echo = Client(self._world, len(self._world.clients), ECHO)
            self._world.clients.append(echo)
            simulator.after(simulator.rng.random() * plan.echo_seconds, echo._ask_again, operation)

    def _ask_again(self, heard: Operation) -> None:
        """Somebody has heard of an answer, and reads the same key elsewhere, if there is an elsewhere."""
        rng, nodes = self._world.simulator.rng, [node for node in self._world.nodes if node.is_alive]
        elsewhere = [node for node in nodes if node.name != heard.node] or nodes
        if elsewhere:
            self._start(elsewhere[int(rng.random() * len(elsewhere))], "get", heard.key)
        else:
            self.is_done = True

    def lost(self, node: Node) -> None:
        """The replica was killed: the client gets no answer, and tries its luck elsewhere."""
        if self.current is not None and self.node is node:
            operation, self.current = self.current, None
            operation.outcome = "lost"
            self._world.simulator.after(0.05, self.step)
