"""How a look at something outside fails: within a bound, and with a reason in which there is no secret."""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar
from urllib.parse import SplitResult, urlsplit

import asyncpg
import httpx
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.doctor.facts import Clock
from service.doctor.finding import Unseen
from service.errors import AsideError

P = ParamSpec("P")
T = TypeVar("T")

REFUSALS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    RedisError,
    httpx.HTTPError,
    httpx.InvalidURL,
    OSError,
    ValueError,
    AsideError,
)
"""Whatever may become of a look. A ValueError is that of a URL."""

_ROUND_TRIPS = 5


class Looks:
    """Looks at one server, one after the other: each is bounded, and so are all of them together."""

    def __init__(self, *, each_seconds: float, all_seconds: float) -> None:
        self._each_seconds = each_seconds
        self._end = time.monotonic() + all_seconds

    async def at(self, look: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs) -> T | Unseen:
        """What was seen, or why nothing was."""
        within = min(self._each_seconds, self._end - time.monotonic())
        if within <= 0:
            return Unseen("the server was too slow with what was asked before")
        try:
            async with asyncio.timeout(within):
                return await look(*args, **named)
        except REFUSALS as error:
            return Unseen(reason_of(error))


def reason_of(error: BaseException) -> str:
    """In words. What a server says is told; what a parser says is not, for it may quote a URL and its password."""
    match error:
        case TimeoutError() | RedisTimeoutError() | httpx.TimeoutException():
            return "no answer in time"
        case asyncpg.PostgresError() | ResponseError() | AuthenticationError() | AsideError():
            return str(error)
        case ValueError() | httpx.InvalidURL():
            return "its URL cannot be read"
        case OSError() | RedisConnectionError() | httpx.TransportError():
            return _reason_of_the_system(error)
        case _:
            return type(error).__name__


def _reason_of_the_system(error: BaseException | None) -> str:
    """Clients wrap what the system said; it is at the bottom."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return "its host's name is not known"
        if isinstance(error, OSError) and error.errno:
            return os.strerror(error.errno)
        error = error.__cause__ or error.__context__
    return "it cannot be reached"


def address_of(url: str) -> str:
    """Where a URL leads: never its user, password or parameters."""
    try:
        parts: SplitResult = urlsplit(url)
        place = parts.hostname or ""
        if ":" in place:
            place = f"[{place}]"
        if parts.port is not None:
            place += f":{parts.port}"
    except ValueError:
        return "an address that cannot be read"
    return f"{place}{parts.path.rstrip('/')}" or "a local socket"


async def timed_round_trips(ask: Callable[[], Awaitable[float]]) -> tuple[float, Clock]:
    """``ask`` answers with the other clock, in seconds since 1970; returns the median in ms, and the clock as the
    quickest round trip saw it.
    """
    trips = []
    for _ in range(_ROUND_TRIPS):
        wall, started = time.time(), time.perf_counter()
        theirs = await ask()
        seconds = time.perf_counter() - started
        trips.append((seconds, theirs - (wall + seconds / 2)))
    quickest, ahead = min(trips)
    return statistics.median(seconds for seconds, _ in trips) * 1000, Clock(ahead, quickest / 2)
