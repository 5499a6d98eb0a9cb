"""Coalescing: what waits in one turn of the event loop goes out together. No timers, a bounded number in flight.

A request joins only a batch that has not been sent. Joining one under way could hand out what was true before the
request began (race R20):

    reader 1: batch sent ─────────────────────────── answer v1
    writer:          commits v2, is acknowledged
    reader 2:                        begins; must not get reader 1's v1
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Send = Callable[[list[K]], Awaitable[Sequence[V]]]
Then = Callable[[V | None, BaseException | None], None]
"""Told once, of the value or of the error that took its place."""


class Batch(Generic[K, V]):
    """Gathers items into batches; each slot sends one batch at a time and returns one value per item, in order.

    Equal items that wait at the same moment are sent once. A batch that fails, fails for its own waiters only. Batches
    are sent by tasks of their own: a waiter that is cancelled never interrupts an exchange that others share.
    """

    def __init__(self, slots: Sequence[Send[K, V]], *, max_size: int) -> None:
        self._idle = list(slots)
        self._max_size = max_size
        self._waiting: dict[K, list[Then[V]]] = {}
        self._crowds: list[_Crowd[K, V]] = []
        self._draining: set[asyncio.Task[None]] = set()
        self._kicked = False

    def submit(self, item: K) -> asyncio.Future[V]:
        """A future of this waiter's own: cancelling it takes nothing from the others."""
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self.notify(item, partial(_settle, future))
        return future

    def submit_all(self, items: Sequence[K]) -> asyncio.Future[list[V]]:
        """One future for many items, their values in order. It fails as soon as one of them does."""
        future: asyncio.Future[list[V]] = asyncio.get_running_loop().create_future()
        if not items:
            future.set_result([])
            return future
        waiting = self._waiting
        if len(waiting) + len(items) <= self._max_size:
            for item in items:
                if item not in waiting:
                    waiting[item] = []
            self._crowds.append(_Crowd(items, future))
        else:
            told = _Gathering(future, len(items)).told
            for place, item in enumerate(items):
                waiting.setdefault(item, []).append(partial(told, place))
        self._wake()
        return future

    def notify(self, item: K, then: Then[V]) -> None:
        """Call ``then`` once, in a later turn of the loop: a future without its price, for who cannot be cancelled."""
        waiters = self._waiting.get(item)
        if waiters is None:
            self._waiting[item] = [then]
        else:
            waiters.append(then)
        self._wake()

    def _wake(self) -> None:
        if self._idle and not self._kicked:
            self._kicked = True
            asyncio.get_running_loop().call_soon(self._kick)

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
                await self._send(slot, *self._take())
        finally:
            self._idle.append(slot)

    def _take(self) -> tuple[dict[K, list[Then[V]]], list[_Crowd[K, V]]]:
        """Who has waited longest, first. A crowd is never divided: it has waited among the first ``max_size`` items."""
        crowds, self._crowds = self._crowds, []
        if len(self._waiting) <= self._max_size:
            taken, self._waiting = self._waiting, {}
            return taken, crowds
        items = list(islice(self._waiting, self._max_size))
        return {item: self._waiting.pop(item) for item in items}, crowds

    async def _send(self, slot: Send[K, V], batch: dict[K, list[Then[V]]], crowds: list[_Crowd[K, V]]) -> None:
        try:
            values = _checked(await slot(list(batch)), len(batch))
        except BaseException as error:
            _fail(batch, crowds, error)
            if not isinstance(error, Exception):
                raise
            return
        for waiters, value in zip(batch.values(), values, strict=True):
            if waiters:
                _tell(waiters, value, None)
        if crowds:
            found = dict(zip(batch, values, strict=True))
            for items, future in crowds:
                _settle(future, [found[item] for item in items], None)

    def __len__(self) -> int:
        """How many items wait to be sent."""
        return len(self._waiting)

    async def close(self) -> None:
        """Stop sending; whoever still waits is cancelled."""
        for task in list(self._draining):
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        _fail(self._waiting, self._crowds, asyncio.CancelledError())
        self._waiting, self._crowds = {}, []


class _Crowd(NamedTuple, Generic[K, V]):
    """Items that go out in one batch: nobody waits for any of them alone, and none costs more than its place."""

    items: Sequence[K]
    future: asyncio.Future[list[V]]


class _Gathering(Generic[V]):
    """Puts the values of items that go out in several batches in their places, and the whole into one future."""

    __slots__ = ("_future", "_left", "_values")

    def __init__(self, future: asyncio.Future[list[V]], count: int) -> None:
        self._future = future
        self._left = count
        self._values: list[Any] = [None] * count

    def told(self, place: int, value: V | None, error: BaseException | None) -> None:
        if error is not None:
            _settle(self._future, None, error)
            return
        self._values[place] = value
        self._left -= 1
        if not self._left:
            _settle(self._future, self._values, None)


def _checked(values: Sequence[V], wanted: int) -> Sequence[V]:
    """Values go to their items by position: too few, or too many, belong to nobody."""
    if len(values) != wanted:
        raise RuntimeError(f"a batch of {wanted} items came back with {len(values)} values")
    return values


def _settle(future: asyncio.Future[V], value: V | None, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)  # type: ignore[arg-type]  # without an error there is a value; None may be one
    elif isinstance(error, Exception):
        future.set_exception(error)
    else:
        future.cancel()


def _tell(waiters: Iterable[Then[V]], value: V | None, error: BaseException | None) -> None:
    """A waiter that fails is reported, and takes nothing from the others of its batch."""
    for waiter in waiters:
        try:
            waiter(value, error)
        except Exception as defect:  # noqa: BLE001
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a waiter of a batch failed", "exception": defect}
            )


def _fail(batch: dict[K, list[Then[V]]], crowds: Iterable[_Crowd[K, V]], error: BaseException) -> None:
    for waiters in batch.values():
        _tell(waiters, None, error)
    for crowd in crowds:
        _settle(crowd.future, None, error)
