"""What all replicas have granted each client, counted in Redis by the library `limits`."""

from __future__ import annotations

import asyncio
import re

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from service.errors import CacheUnavailableError

_WINDOW_SECONDS = 60
"""A counter begins anew after so long, and with it what one may learn of grants nobody told in time."""
_CONNECTIONS = 2
_PREFIX = "aside:granted"


class RedisTotals:
    """Counters `aside:granted/{client}`. ``timeout_seconds`` bounds every wait, for a connection and for an answer."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        url = re.sub(r"^valkey(s?)://", r"redis\1://", url)
        self._timeout_seconds = timeout_seconds
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            client_name="aside-limits",
        )
        options = {"connection_pool": self._pool}
        self._storage = RedisStorage(url, implementation="redispy", key_prefix=_PREFIX, **options)  # type: ignore[arg-type]  # a pool is taken, though the annotation says otherwise

    async def add(self, client: str, amount: int) -> int:
        """See :class:`service.services.rate_limits.Total`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._storage.incr(f"{_PREFIX}/{client}", _WINDOW_SECONDS, amount=amount)
        except (OSError, RedisError, TimeoutError) as error:
            raise CacheUnavailableError("Redis does not count what clients were granted") from error

    async def close(self) -> None:
        await self._pool.aclose()
