"""Coalescing: what waits in one turn of the event loop goes out together. No timers, a bounded number in flight.

A request joins only a batch that has not been sent. Joining one under way could hand out what was true before the
request began (race R20):

    reader 1: batch sent ─────────────────────────── answer v1
    writer:          commits v2, is acknowledged
    reader 2:                        begins; must not get reader 1's v1
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Send = Callable[[list[K]], Awaitable[Sequence[V]]]


class Batch(Generic[K, V]):
    """Gathers items into batches; each slot sends one batch at a time and returns one value per item, in order.

    Equal items that wait at the same moment are sent once. A batch that fails, fails for its own waiters only. Batches
    are sent by tasks of their own: a waiter that is cancelled never interrupts an exchange that others share.
    """

    def __init__(self, slots: Sequence[Send[K, V]], *, max_size: int) -> None:
        self._idle = list(slots)
        self._max_size = max_size
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._draining: set[asyncio.Task[None]] = set()
        self._kicked = False

    def submit(self, item: K) -> asyncio.Future[V]:
        """A future of this waiter's own: cancelling it takes nothing from the others."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        waiters = self._waiting.get(item)
        if waiters is None:
            self._waiting[item] = [future]
        else:
            waiters.append(future)
        if self._idle and not self._kicked:
            self._kicked = True
            loop.call_soon(self._kick)
        return future

    def _kick(self) -> None:
        self._kicked = False
        batches = -(-len(self._waiting) // self._max_size)
        for _ in range(min(batches, len(self._idle))):
            task = asyncio.get_running_loop().create_task(self._drain(self._idle.pop()))
            self._draining.add(task)
            task.add_done_callback(self._draining.discard)

    async def _drain(self, slot: Send[K, V]) -> None:
        try:
            while self._waiting:
                await self._send(slot, self._take())
        finally:
            self._idle.append(slot)

    def _take(self) -> dict[K, list[asyncio.Future[V]]]:
        if len(self._waiting) <= self._max_size:
            taken, self._waiting = self._waiting, {}
            return taken
        items = list(islice(self._waiting, self._max_size))
        return {item: self._waiting.pop(item) for item in items}

    async def _send(self, slot: Send[K, V], batch: dict[K, list[asyncio.Future[V]]]) -> None:
        try:
            values = _checked(await slot(list(batch)), len(batch))
        except BaseException as error:
            _fail(batch, error)
            if not isinstance(error, Exception):
                raise
            return
        for waiters, value in zip(batch.values(), values, strict=True):
            for future in waiters:
                if not future.done():
                    future.set_result(value)

    async def close(self) -> None:
        """Stop sending; whoever still waits is cancelled."""
        for task in list(self._draining):
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        _fail(self._waiting, asyncio.CancelledError())
        self._waiting = {}


def _checked(values: Sequence[V], wanted: int) -> Sequence[V]:
    """Values go to their items by position: too few, or too many, belong to nobody."""
    if len(values) != wanted:
        raise RuntimeError(f"a batch of {wanted} items came back with {len(values)} values")
    return values


def _fail(batch: dict[K, list[asyncio.Future[V]]], error: BaseException) -> None:
    for waiters in batch.values():
        for future in waiters:
            if future.done():
                continue
            if isinstance(error, Exception):
                future.set_exception(error)
            else:
                future.cancel()
