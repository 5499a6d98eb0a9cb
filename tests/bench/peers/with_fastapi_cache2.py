"""FastAPI and fastapi-cache2."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi_cache import Coder, FastAPICache
from fastapi_cache.backends.redis import RedisBackend
from fastapi_cache.decorator import cache
from redis_client import TTL_SECONDS, open_redis
from rows import READ, open_pool

logging.getLogger("fastapi_cache").setLevel(logging.CRITICAL)
state: dict[str, Any] = {}


class StoredBytes(Coder):
    """Bytes stay bytes: what is cached is the body, what comes back is the response."""

    @classmethod
    def encode(cls, value: Response) -> bytes:
        return bytes(value.body)

    @classmethod
    def decode(cls, value: bytes) -> Response:
        return Response(value, media_type="application/json")


def path_of(_: object, namespace: str = "", *, request: Request, **__: object) -> str:
    """The library's own choice hashes the arguments."""
    return f"{namespace}:{request.url.path}"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with await open_pool() as state["pool"], open_redis() as redis:
        FastAPICache.init(RedisBackend(redis), prefix="fastapi-cache2", coder=StoredBytes, key_builder=path_of)
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/v1/entities/{entity_type}/{id}")
@cache(expire=TTL_SECONDS)
async def read(entity_type: str, id: str) -> Response:  # noqa: A002 (the name of the parameter)
    body: bytes | None = await state["pool"].fetchval(READ, entity_type, id)
    return Response(body or b"null", media_type="application/json")
