"""Clients of the service that write down every request: what was asked, when it began and ended, what was answered."""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import httpx

from tests.support.waiting import eventually

_TLS = ssl.create_default_context()  # never used, and slow to make: once for all clients
_UNCACHED = frozenset({"cache-off", "cache-unreachable"})
_DURATION = re.compile(r"(\w+);dur=([0-9.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request and its answer. Times are monotonic seconds, taken outside of everything that the client does.

    ``status`` 0 stands for no answer at all, with the reason in ``problem``.
    """

    is_write: bool
    key: str
    url: str
    began: float
    ended: float
    status: int
    headers: httpx.Headers
    body: bytes = b""
    problem: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether it says something about the entity: it did not fail."""
        return self.status in {200, 201, 204, 304, 404}

    @property
    def version(self) -> int | None:
        """None where the answer names none."""
        etag = self.headers.get("etag")
        return int(etag.strip('"')) if etag and self.is_answered else None

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def cache_status(self) -> str:
        return str(self.headers.get("cache-status", ""))

    @property
    def outcome(self) -> str:
        """As the metric `aside_cache_requests_total` names it; negative hits are hits; "" for writes and failures."""
        parts = [part.strip() for part in self.cache_status.split(";")]
        details = {part.partition("=")[2] for part in parts if part.startswith("detail=")}
        if "stale-if-error" in details:
            return "stale"
        if details & _UNCACHED:
            return "off"
        if "hit" in parts:
            return "hit"
        ways = {part for part in parts if part.startswith("fwd=")}
        if ways & {"fwd=uri-miss", "fwd=stale"}:
            return "miss"
        return "bypass" if ways else ""

    @property
    def cache_seconds(self) -> float:
        """How long it waited for Redis, as the service tells."""
        spent = dict(_DURATION.findall(self.headers.get("server-timing", "")))
        return float(spent.get("cache", 0)) / 1000


class Traffic:
    """Requests to replicas in turn, over kept connections. ``history`` holds all of them, in the order of their ends.

    ``clients`` is the number of independent connection pools: one alone is slow with a thousand connections.
    """

    def __init__(self, urls: Sequence[str], *, clients: int = 1, timeout_seconds: float = 15.0) -> None:
        self.history: list[Operation] = []
        self.urls = list(urls)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2.0)
        self._clients = [
            httpx.AsyncClient(limits=limits, timeout=timeout_seconds, verify=_TLS, trust_env=False)
            for _ in range(clients)
        ]
        self._pools = itertools.cycle(self._clients)
        self._turns = itertools.count()
        self._serial = itertools.count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    async def read(
        self, key: str, *, replica: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Operation:
        """GET an entity of type `thing`."""
        return await self._send("GET", key, replica=replica, headers=headers)

    async def write(
        self,
        key: str,
        *,
        replica: int | None = None,
        ttl_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Operation:
        """PUT a document that no other write has."""
        parameters = None if ttl_seconds is None else {"ttl_seconds": ttl_seconds}
        document = {"key": key, "serial": next(self._serial)}
        return await self._send("PUT", key, replica=replica, headers=headers, json=document, params=parameters)

    async def get(self, path: str, *, replica: int = 0) -> httpx.Response:
        """Any other page of a replica; not written down."""
        return await self._clients[0].get(self.urls[replica] + path)

    async def until_cached(self, *, within_seconds: float = 10.0) -> None:
        """Wait until every replica trusts the cache. What was asked meanwhile is not written down."""
        for replica in range(len(self.urls)):
            await eventually(partial(self._is_cached, replica), within_seconds=within_seconds)

    async def _is_cached(self, replica: int) -> bool:
        return (await self._exchange("GET", "until-cached", replica)).outcome == "hit"

    @asynccontextmanager
    async def hammering(
        self, keys: Sequence[str], *, readers: int = 12, writers: int = 0, pause_seconds: float = 0.01
    ) -> AsyncIterator[None]:
        """Inside, so many clients read and write the keys in turn, each with one request at a time."""
        ended = asyncio.Event()

        async def work(number: int, *, is_write: bool) -> None:
            for key in itertools.islice(itertools.cycle(keys), number, None):
                if ended.is_set():
                    return
                await (self.write(key) if is_write else self.read(key))
                await asyncio.sleep(pause_seconds)

        tasks = [asyncio.create_task(work(number, is_write=False)) for number in range(readers)]
        tasks += [asyncio.create_task(work(number, is_write=True)) for number in range(writers)]
        try:
            yield
        finally:
            ended.set()
            await asyncio.gather(*tasks)

    async def _send(self, method: str, key: str, *, replica: int | None = None, **request: Any) -> Operation:
        number = next(self._turns) if replica is None else replica
        operation = await self._exchange(method, key, number, **request)
        self.history.append(operation)
        return operation

    async def _exchange(self, method: str, key: str, number: int, **request: Any) -> Operation:
        url = f"{self.urls[number % len(self.urls)]}/v1/entities/thing/{key}"
        client = next(self._pools)
        began = time.monotonic()
        try:
            response = await client.request(method, url, **request)
        except httpx.HTTPError as error:
            status, headers, body, problem = 0, httpx.Headers(), b"", repr(error)
        else:
            status, headers, body, problem = response.status_code, response.headers, response.content, ""
        return Operation(
            is_write=method != "GET",
            key=key,
            url=url,
            began=began,
            ended=time.monotonic(),
            status=status,
            headers=headers,
            body=body,
            problem=problem,
        )


def reads(history: Sequence[Operation]) -> list[Operation]:
    return [operation for operation in history if not operation.is_write]


def writes(history: Sequence[Operation]) -> list[Operation]:
    return [operation for operation in history if operation.is_write]


def unanswered(history: Sequence[Operation]) -> list[Operation]:
    """Those that failed: 5xx, refused, or no answer at all."""
    return [operation for operation in history if not operation.is_answered]


def quantiles(seconds: Sequence[float]) -> str:
    """For the eye: how many, and how long they took, in ms."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * q))] for name, q in (("p50", 0.5), ("p99", 0.99))}
    at["max"] = ordered[-1]
    return f"n={len(ordered)} " + " ".join(f"{name}={value * 1000:.1f}ms" for name, value in at.items())
