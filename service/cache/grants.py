"""The relay's side of Redis: one connection, one server, the watermark and the heartbeat."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.cache.keys import HEARTBEAT, WATERMARK, cache_key
from service.cache.lane import CacheExchangeError, Connect, Lane
from service.cache.recorder import Recorder

_WATERMARK = re.compile(rb"\d+\.\d+\|([!-{}~]+)\|(\d+:\d+:[\d,]*)")


class Granted(StrEnum):
    """What the grant script answers; see `scripts/grant.lua`."""

    GRANTED = "granted"
    APPLIED = "applied"
    LATE = "late"
    SUPERSEDED = "superseded"
    RESTARTED = "restarted"


@dataclass(frozen=True, slots=True)
class Watermark:
    """What has been applied to this instance: every change of this generation that this horizon has seen."""

    generation: str
    horizon: str


@dataclass(frozen=True, slots=True)
class Grant:
    """The last page of a poll carries ``horizon``; the pages before it apply, and grant nothing.

    ``generation`` is as the heartbeat will have it, epochs of types included: see `service.cache.keys.label_of`.
    """

    generation: str
    term: int
    poll: int
    names: Sequence[str]
    versions: Sequence[int]
    horizon: str = ""
    dies_at_ms: int = 0


def read_watermark(raw: bytes) -> Watermark | None:
    """As the grant script writes it; None for anything else."""
    found = _WATERMARK.fullmatch(raw)
    return None if found is None else Watermark(found[1].decode(), found[2].decode())


class Granter:
    """Speaks to one server at a time, and says so when it finds another one in its place.

    ``reopen_seconds``, where another server may take over the address: how long one connection is kept. A former
    primary that came back as one takes grants for as long as it is sent some, and readers are elsewhere.
    """

    def __init__(
        self, connect: Connect, recorder: Recorder, *, timeout_seconds: float, reopen_seconds: float | None = None
    ) -> None:
        self._lane = Lane(connect, timeout_seconds=timeout_seconds)
        self._recorder = recorder
        self._reopen_seconds = reopen_seconds
        self._opened_at = time.monotonic()
        self.found_nothing = False
        """Whether the last grant met no watermark: the server is a new one, or was emptied."""

    @property
    def run_id(self) -> str:
        return self._lane.run_id.decode()

    async def now_ms(self) -> int:
        """T0: Redis's clock, before anything else is looked at. May find a new server: compare `run_id` afterwards."""
        now = time.monotonic()
        if self._reopen_seconds is not None and now - self._opened_at > self._reopen_seconds:
            self._opened_at = now
            self._lane.outdate()
        seconds, micros = await self._timed("clock", self._lane.call("TIME"))
        return int(seconds) * 1000 + int(micros) // 1000

    async def watermark(self) -> Watermark | None:
        """What this instance says was applied to it; None where it says nothing."""
        return read_watermark(await self._timed("clock", self._lane.call("GET", WATERMARK, once=True)) or b"")

    async def grant(self, grant: Grant) -> Granted:
        """Bound to this connection, and by the script to this server: never repeated on another."""
        keys = [HEARTBEAT, WATERMARK, *[cache_key(name) for name in grant.names]]
        args = (self.run_id, grant.generation, grant.term, grant.poll, grant.horizon, grant.dies_at_ms)
        answer = await self._timed("grant", self._lane.script("grant", keys, (*args, *grant.versions), once=True))
        granted, _, anew = answer.partition(b" ")
        self.found_nothing = bool(anew)
        return Granted(granted.decode())

    async def _timed(self, op: str, exchange: Awaitable[Any]) -> Any:
        started = time.perf_counter()
        try:
            reply = await exchange
        except CacheExchangeError as failure:
            self._recorder.cache_error(op, failure.kind)
            self._lane.outdate()
            raise
        self._recorder.cache_call(op, time.perf_counter() - started)
        return reply

    async def close(self) -> None:
        await self._lane.close()
