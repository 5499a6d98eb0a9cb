"""Who is compared, and why each is set as it is: the one place for both, which the report prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ASIDE, CEILING, WEBDIS, PLAIN, PLAIN_NO_RESET = "Aside", "ceiling", "Webdis", "no cache", "no cache, no reset"


KEYED, LIMITED = f"{ASIDE}, keys", f"{ASIDE}, keys and a rate"
"""Aside as it is with a key asked of each request; and with a bound to what each client may send."""
ASKS_FOR_KEYS = {"ASIDE_ACCESS__REQUIRED": "true", "ASIDE_ACCESS__GRACE_SECONDS": "30"}
"""The grace costs nothing, and refuses nobody where the machine stands still for longer than B."""
ABSENT, BEYOND = "absent keys", "beyond the rate"
"""The floods."""
RATIO = "p99 beside ÷ in calm"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A Python application under uvicorn. ``module`` is in `peers/`; ``package`` is the cache library that it uses."""

    module: str
    says: str
    package: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


POOL_CONNECTIONS = 10
"""To PostgreSQL, of everybody that has no other bound: how many commits share a flush depends on it."""
_ROWS = (
    f"asyncpg pool of {POOL_CONNECTIONS} connections, all open beforehand; one SELECT of one row, the document as the "
    "bytes that PostgreSQL makes of it: no JSON library, no Pydantic model"
)
_REDIS = (
    "redis-py with hiredis, connections as many as are needed, 0.2 s of patience and one more attempt (its own default "
    "of ten attempts with pauses lets each request wait for seconds once Redis is gone)"
)

APPS: Mapping[str, App] = {
    CEILING: App(
        module="ceiling",
        says="raw ASGI, a constant answer of the same size. Whatever is slower than this is the application's doing",
    ),
    PLAIN: App(
        module="plain",
        says=f"FastAPI and asyncpg, as their documentation shows it. {_ROWS}. Writes are one INSERT … ON CONFLICT DO "
        "UPDATE … RETURNING into a table of the same shape, without triggers",
    ),
    PLAIN_NO_RESET: App(
        module="plain",
        says="the same, and the pool is told to reset nothing between two users of a connection, which saves a round "
        "trip. Hardly anybody knows this setting; it is shown beside the other, and no target refers to it",
        environment={"BENCH_RESET": "no"},
    ),
    "aiocache": App(
        module="with_aiocache",
        package="aiocache",
        says=f"`cached` with NullSerializer(encoding=None), so bytes stay bytes; a short key of its own; timeout=0, as "
        f"the sockets have timeouts and a second one costs a task per operation. {_REDIS}",
    ),
    "cashews": App(
        module="with_cashews",
        package="cashews",
        says="`cache` with pickle_type='null', so bytes stay bytes; without `lock`, which costs two more round "
        f"trips; a plain ConnectionPool, as its BlockingConnectionPool of ten lets 54 of 64 wait; no health checks. "
        f"{_REDIS}",
    ),
    "fastapi-cache2": App(
        module="with_fastapi_cache2",
        package="fastapi-cache2",
        says="`cache` with a coder that stores the body and returns a Response; a key builder that takes the path, as "
        f"its own hashes all arguments with MD5. {_REDIS}",
    ),
    "fastapi-redis-sdk": App(
        module="with_fastapi_redis_sdk",
        package="fastapi-redis-sdk",
        says="its CacheBackend with a coder that leaves the text as it is, made once; its dependency `cache()` stores "
        f"JSON around the body and answers hits by raising an exception, which is slower. {_REDIS}",
    ),
}

CACHES = tuple(name for name, app in APPS.items() if app.package is not None)
"""The Python caches."""

ASIDE_SAYS = (
    "the real service, `python -m service serve`, with its defaults, but for as many connections for writes as the "
    f"others have, {POOL_CONNECTIONS} for 8: its audit, metrics and relay are at work. Loads have 3"
)
WEBDIS_SAYS = (
    "C; GET of a string that holds the document, with a content type and nothing else. One thread, as it has one core; "
    "a pool of 20 connections to Valkey; no log. It knows no database, no version, and nothing of staleness"
)
COMMON = (
    "All HTTP servers run as one process. Those in Python: uvicorn, uvloop, httptools, no access log, no `Server` "
    "header, the same versions of FastAPI, uvicorn, asyncpg and redis-py. Lifetimes of cached values: an hour, and "
    "Aside's default of 300 s. The same URL paths, the same rows, the same Valkey, the same PostgreSQL. All servers "
    "are up all the time; who is not measured is idle, but for what Aside does in the background, 1 % of its core."
)
READERS = (ASIDE, CEILING, WEBDIS, PLAIN, *CACHES)
"""All that answer a GET of a key that is hot."""
LOADERS = (ASIDE, PLAIN, PLAIN_NO_RESET, *CACHES)
"""All that ask PostgreSQL for what they do not have."""
