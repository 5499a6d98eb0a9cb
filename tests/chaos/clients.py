"""Clients: each has one connection to one replica and one request at a time, and some hang up in the middle of it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Coroutine, Sequence

from tests.chaos.mix import Ask, Mix
from tests.chaos.observation import Kind, Observation
from tests.chaos.tally import Tally
from tests.chaos.wire import Reply, Wire

GIVE_UP_SECONDS = 8.0
"""Longer than anything that a replica that runs may take."""
RUDE_SHARE = 0.1
HANG_UP_SHARE = 0.3
HANG_UP_WITHIN_SECONDS = 0.02
_RECONNECT_SECONDS = 0.05


class Client:
    """Asks, tells what was answered, and asks again at its pace of one request each ``interval_seconds``."""

    __slots__ = (
        "_address", "_ask", "_crowd", "_due", "_hang_up", "_is_rude", "_next", "_random", "_serial", "_wire",
        "interval_seconds", "replica",
    )  # fmt: skip

    def __init__(self, crowd: Crowd, replica: int, address: tuple[str, int], *, seed: int, is_rude: bool) -> None:
        self._crowd = crowd
        self._address = address
        self._random = random.Random(seed)
        self._is_rude = is_rude
        self._wire: Wire | None = None
        self._ask: Ask | None = None
        self._hang_up: asyncio.TimerHandle | None = None
        self._next: asyncio.TimerHandle | None = None
        self._serial = 0
        self._due = 0.0
        self.replica = replica
        self.interval_seconds = 1.0

    async def connect(self) -> None:
        """Until it works or the campaign ends."""
        while not self._crowd.is_over:
            try:
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    _, self._wire = await self._crowd.loop.create_connection(
                        lambda: Wire(self._replied, self._lost), *self._address
                    )
            except OSError:  # TimeoutError too
                self._crowd.tally.refused_connections += 1
                await asyncio.sleep(_RECONNECT_SECONDS * (1 + self._random.random()))
            else:
                self._schedule()
                return

    @property
    def began(self) -> float:
        """When the request under way was sent; infinite without one."""
        return self._wire.began if self._ask is not None and self._wire is not None else float("inf")

    def give_up(self) -> None:
        assert self._wire is not None
        self._wire.abort()

    def _schedule(self) -> None:
        now = time.monotonic()
        self._due = max(self._due + self.interval_seconds * (0.5 + self._random.random()), now)
        if self._next is not None:  # of a connection that was lost while nothing was asked
            self._next.cancel()
        self._next = self._crowd.loop.call_later(self._due - now, self._send)

    def _send(self) -> None:
        if self._crowd.is_over:
            self.close()
            return
        if self._crowd.is_held:  # the checker is behind: no more than it can hold
            self._next = self._crowd.loop.call_later(0.05, self._send)
            return
        if self._wire is None or self._wire.is_closing:
            return  # `_lost` brings a new one
        assert self._ask is None, "one request at a time"
        self._serial += 1
        self._ask = self._crowd.mix.next()
        self._wire.send(self._ask.request)
        if self._is_rude and self._random.random() < HANG_UP_SHARE:
            delay = self._random.random() * HANG_UP_WITHIN_SECONDS
            self._hang_up = self._crowd.loop.call_later(delay, self._cancel, self._serial)

    def _cancel(self, serial: int) -> None:
        if serial == self._serial and self._ask is not None and self._wire is not None:
            self._crowd.tally.cancelled[self._ask.name] += 1
            self._ask = None
            self._wire.abort()

    def _replied(self, wire: Wire, reply: Reply, ended: float) -> None:
        if wire is not self._wire:
            return
        ask, self._ask = self._ask, None
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None
        if ask is None:
            return
        self._crowd.answered(ask, reply, self.replica, wire.began, ended)
        if not wire.is_closing:
            self._schedule()

    def _lost(self, wire: Wire) -> None:
        if wire is not self._wire and self._wire is not None:
            return
        if self._ask is not None:
            self._crowd.tally.unanswered(self._ask.name, self.replica, wire.began, time.monotonic())
            self._ask = None
        self._wire = None
        if not self._crowd.is_over:
            self._crowd.start(self.connect())

    def close(self) -> None:
        self._ask = None
        if self._wire is not None:
            self._wire.abort()


class Crowd:
    """All clients. ``pending`` fills with what has ended, in that order; whoever judges it takes it away."""

    def __init__(
        self, mix: Mix, tally: Tally, addresses: Sequence[tuple[str, int]], *, clients: int, seed: int
    ) -> None:
        self.mix = mix
        self.tally = tally
        self.loop = asyncio.get_running_loop()
        self.pending: list[Observation] = []
        self.is_over = False
        self.is_held = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients = [
            Client(
                self,
                number % len(addresses),
                addresses[number % len(addresses)],
                seed=seed + number,
                is_rude=number < clients * RUDE_SHARE,
            )
            for number in range(clients)
        ]

    def set_rate(self, requests_per_second: float) -> None:
        for client in self._clients:
            client.interval_seconds = len(self._clients) / requests_per_second

    def start_all(self) -> None:
        for client in self._clients:
            self.start(client.connect())

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def look_after(self) -> float:
        """Hang up on what takes for ever; returns when the oldest request under way began."""
        now = oldest = time.monotonic()
        for client in self._clients:
            if now - client.began > GIVE_UP_SECONDS:
                client.give_up()
            oldest = min(oldest, client.began)
        return oldest

    async def stop(self) -> None:
        self.is_over = True
        for client in self._clients:
            client.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def answered(self, ask: Ask, reply: Reply, replica: int, began: float, ended: float) -> None:
        self.tally.answered(ask, reply, replica, began, ended)
        if ask.keys is not None:
            if reply.status == 200:
                self._batch_answered(ask.keys, reply, replica, began, ended)
            return
        observation = observed(ask, reply, replica, began, ended)
        if observation is not None:
            self._told(observation)

    def _batch_answered(self, keys: list[str], reply: Reply, replica: int, began: float, ended: float) -> None:
        for key, result in zip(keys, json.loads(reply.body)["results"], strict=True):
            if result["key"] != key.partition(":")[2]:
                self.tally.wrong("a batch answered for another key", f"{key}: {result}")
            if result["status"] not in (200, 404):
                self.tally.batch_problems += 1
                continue
            body = result.get("body", {})
            if body and (body["key"] != result["key"] or body["version"] != result["version"]):
                self.tally.wrong("an item of a batch with the body of another", f"{key}: {result}")
            self._told(
                Observation(
                    kind=Kind.READ, key=key, replica=replica, began=began, ended=ended,
                    version=result.get("version") or 0, mark=body.get("value"), outcome="batch",
                )
            )  # fmt: skip

    def _told(self, observation: Observation) -> None:
        self.pending.append(observation)
        if observation.version > self.mix.latest.get(observation.key, 0):
            self.mix.latest[observation.key] = observation.version


def observed(ask: Ask, reply: Reply, replica: int, began: float, ended: float) -> Observation | None:
    """What an answer says about its key; None where it says nothing."""
    kind, status = ask.kind, reply.status
    if kind is Kind.READ:
        if status not in (200, 304, 404):
            return None
    elif status in (404, 412):
        kind = Kind.REFUSED
    elif status not in (200, 201, 204):
        return None
    has_body = status in (200, 201)
    return Observation(
        kind=kind,
        key=ask.key,
        replica=replica,
        began=began,
        ended=ended,
        version=0 if status in (204, 404) else reply.version,
        body=reply.body if has_body else None,
        outcome=reply.outcome if kind is Kind.READ else "",
        expected=ask.expected if kind in (Kind.WRITE, Kind.DELETE) else 0,
        min_version=ask.min_version,
        raises=not (ask.is_async and reply.header(b"aside-cache") == b"deferred"),
    )
