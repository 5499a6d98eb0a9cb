"""FastAPI and fastapi-redis-sdk: its cache object. Its dependency `cache()` answers hits by exceptions, and slower."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Response
from redis_client import TTL_SECONDS, open_redis
from redis_fastapi import CacheBackend
from rows import READ, open_pool

logging.getLogger("redis_fastapi").setLevel(logging.CRITICAL)
state: dict[str, Any] = {}


class StoredText:
    """What is cached is the body. The library decodes it to text in any case."""

    @classmethod
    def encode(cls, value: str) -> str:
        return value

    @classmethod
    def decode(cls, value: str) -> str:
        return value


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with await open_pool() as state["pool"], open_redis() as redis:
        state["cache"] = CacheBackend(redis, coder=StoredText)
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/v1/entities/{entity_type}/{id}")
async def read(entity_type: str, id: str) -> Response:  # noqa: A002 (the name of the parameter)
    cache: CacheBackend = state["cache"]
    key = f"{entity_type}:{id}"
    body: str | None = await cache.get(key)
    if body is None:
        stored: bytes | None = await state["pool"].fetchval(READ, entity_type, id)
        if stored is None:
            return Response(status_code=404)
        body = stored.decode()
        await cache.set(key, body, ttl=TTL_SECONDS)
    return Response(body, media_type="application/json")
