"""What each client may send, over all replicas: granted here at once, and settled with the others through Redis.

No request waits for Redis. Ten times a second a process adds what it granted to a counter that all share, and learns
what the others did, so that they grant together what one would:

    replica 1: grants 10 ── adds 10, total 10 ──────────────────────── adds 0, total 25: takes 15 off
    replica 2: grants 15 ─────────────────── adds 15, total 25: takes 10 off

Hence the slack: in a tenth of a second each replica may grant what is left of a burst. Without Redis nobody knows of
the others, and each grants a part of the rate.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Protocol

import structlog

from service.domain.allowance import Allowance
from service.errors import CacheUnavailableError

log = structlog.get_logger(__name__)

_SETTLE_SECONDS = 0.1
_SETTLED_AT_ONCE = 100
"""Clients whose grants are told in one turn, those with the most: each is a round trip, all at the same time."""
_ALONE_SECONDS = 1.0
"""How long Redis is left alone after it did not answer."""
_TIDY_SECONDS = 10.0
MOST_CLIENTS = 50_000
"""Remembered at the same time, about 10 MB. With more than that, those who are asked after last begin anew."""


class Total(Protocol):
    async def add(self, client: str, amount: int) -> int:
        """What all replicas have granted lately, with this amount. Raises CacheUnavailableError."""

    async def close(self) -> None: ...


class RateLimits:
    """Of one process. ``rate`` is requests per second of each client, ``burst`` how many at once after a pause."""

    def __init__(self, total: Total, *, rate: float, burst: float, alone_share: float) -> None:
        self._total = total
        self.rate = rate
        self.burst = burst
        self._alone_share = alone_share
        self._clients: dict[str, Allowance] = {}
        self._alone_until = 0.0
        self._tidied_at = 0.0
        self._granted_rate = rate
        self._task: asyncio.Task[None] | None = None

    def take(self, client: str, now: float) -> float:
        """0 where the request is allowed, else in how many seconds the next one will be. ``now`` is monotonic."""
        allowance = self._clients.get(client)
        if allowance is None:
            if len(self._clients) >= MOST_CLIENTS:
                self._clients.clear()
            allowance = self._clients[client] = Allowance(self.burst, now)
        if allowance.take(now, rate=self._granted_rate, burst=self.burst):
            return 0.0
        return max(0.001, allowance.seconds_until_next(self._granted_rate))

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._total.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                await self.settle(time.monotonic())
            except Exception:
                # Whatever else it meets: without settling each replica would grant the whole rate for ever.
                log.exception("rate_limits_not_settled")
                self._alone(time.monotonic())

    async def settle(self, now: float) -> None:
        """Tell what was granted, and learn what the others did."""
        self._tidy(now)
        if now < self._alone_until:
            return
        self._granted_rate = self.rate
        busy = [(client, allowance) for client, allowance in self._clients.items() if allowance.unsettled]
        busiest = heapq.nlargest(_SETTLED_AT_ONCE, busy, key=lambda each: each[1].unsettled)
        told = await asyncio.gather(*[self._tell(*each) for each in busiest])
        if not all(told):
            self._alone(now)

    async def _tell(self, client: str, allowance: Allowance) -> bool:
        told = allowance.unsettled
        try:
            total = await self._total.add(client, told)
        except CacheUnavailableError:
            allowance.forget_unsettled()
            return False
        allowance.settled(told, total, burst=self.burst)
        return True

    def _alone(self, now: float) -> None:
        self._alone_until = now + _ALONE_SECONDS
        self._granted_rate = self.rate * self._alone_share

    def _tidy(self, now: float) -> None:
        if now - self._tidied_at >= _TIDY_SECONDS:
            self._tidied_at = now
            full = [name for name, each in self._clients.items() if each.is_full(now, rate=self.rate, burst=self.burst)]
            for name in full:
                del self._clients[name]
