"""Stands before everything else: refuses what a process has no time for, and what a client may not send any more.

Both are decided out of memory, before the cache is asked. A hit pays one look at two attributes while nothing is to be
refused and no rate is set.
"""

from __future__ import annotations

import asyncio
from time import monotonic, perf_counter
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.clients import client_of
from service.api.hot_reads import Exchange
from service.api.middleware import RequestRecorder
from service.api.refusals import SLOWED_SECONDS, Refusal, overloaded, rate_limited
from service.api.work import HEALTH_PATHS, work_of
from service.domain.shedding import Shedding
from service.domain.spacing import Spacing
from service.services.access import Access
from service.services.rate_limits import RateLimits

_IS_COUNTED = "aside.is_counted"
"""Set in the scope of a request that has paid for itself already, and then went on to the ordinary routes."""


class RefusalRecorder(RequestRecorder, Protocol):
    def shed(self, work: str) -> None:
        """After each request that was refused since there is too much to do."""

    def rate_limited(self) -> None:
        """After each request that was refused since its client has sent too many."""


class Hot(Protocol):
    """What the door leads to: see `service.api.hot_reads.HotReads`."""

    def begin(self, scope: Scope, exchange: Exchange) -> bool: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Door:
    """Refuses nothing before it is told of the process's own shedding and limits."""

    def __init__(self, hot: Hot, ordinary: ASGIApp, recorder: RefusalRecorder) -> None:
        """``ordinary`` is where a request goes that does not come by `begin`."""
        self._hot = hot
        self._ordinary = ordinary
        self._recorder = recorder
        self._shedding = Shedding()
        self._spacing = Spacing()
        self._limits: RateLimits | None = None
        self._access: Access | None = None

    def attach(self, shedding: Shedding, limits: RateLimits | None, access: Access | None = None) -> None:
        self._shedding, self._limits, self._access = shedding, limits, access

    def begin(self, scope: Scope, exchange: Exchange) -> bool:
        """See `HotReads.begin`, which is asked if nothing is to be refused."""
        if self._limits is None and not self._shedding.refuses_reads:
            return self._hot.begin(scope, exchange)
        refusal = self._refusal(scope)
        if refusal is None:
            return self._hot.begin(scope, exchange)
        # Not in this turn: the parser is not done with the request.
        loop = asyncio.get_running_loop()
        loop.call_later(refusal.wait_seconds, exchange.reply, refusal.status, refusal.head, refusal.body)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] != "http" else self._refusal(scope)
        if refusal is None:
            await self._ordinary(scope, receive, send)
            return
        await asyncio.sleep(refusal.wait_seconds)
        for message in refusal.messages:
            await send(message)

    def _refusal(self, scope: Scope) -> Refusal | None:
        started = perf_counter()
        refusal = self._for_lack_of_time(scope) if self._shedding.refuses_any else None
        if refusal is None and self._limits is not None and scope["path"] not in HEALTH_PATHS:
            refusal = self._beyond_rate(scope, self._limits)
        if refusal is not None:
            self._recorder.request(scope["method"], None, refusal.status, perf_counter() - started)
        return refusal

    def _for_lack_of_time(self, scope: Scope) -> Refusal | None:
        work = work_of(scope["method"], scope["path"])
        if not self._shedding.refuses(work):
            return None
        self._recorder.shed(work.value)
        return overloaded(scope, work)

    def _beyond_rate(self, scope: Scope, limits: RateLimits) -> Refusal | None:
        if _IS_COUNTED in scope:
            return None
        scope[_IS_COUNTED] = True
        now = monotonic()
        wait = limits.take(client_of(scope, self._access), now)
        if not wait:
            return None
        self._recorder.rate_limited()
        told_after = self._spacing.wait(now, at_least=SLOWED_SECONDS)
        return rate_limited(
            scope, wait_seconds=wait, rate=limits.rate, burst=limits.burst, told_after_seconds=told_after
        )
