"""How redis-py is set for every peer that lets it be set.

Connections as many as needed, never a wait for one. A dead server is given up after one more attempt and 0.2 s: with
redis-py's own defaults, ten attempts with pauses, each request would wait for seconds.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TTL_SECONDS = 3600
ADDRESS = os.environ["REDIS_URL"]
HOST, PORT = urlsplit(ADDRESS).hostname, urlsplit(ADDRESS).port


PATIENCE_SECONDS = 0.2


def connection_settings() -> dict[str, Any]:
    """For a connection pool of redis-py."""
    return {"socket_timeout": PATIENCE_SECONDS, "retry": Retry(NoBackoff(), 1)}


def open_redis() -> Redis:
    """A client with a pool of its own."""
    return Redis(host=HOST, port=PORT, socket_connect_timeout=PATIENCE_SECONDS, **connection_settings())
