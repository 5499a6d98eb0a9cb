"""FastAPI and cashews."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cashews import Cache
from fastapi import FastAPI, Response
from redis.asyncio import ConnectionPool
from redis_client import ADDRESS, PATIENCE_SECONDS, TTL_SECONDS, connection_settings
from rows import READ, open_pool

logging.getLogger("cashews").setLevel(logging.CRITICAL)
state: dict[str, Any] = {}
cache = Cache()
cache.setup(
    ADDRESS,
    pickle_type="null",  # bytes stay bytes
    connection_pool_class=ConnectionPool,  # its own choice lets requests wait for ten connections
    max_connections=None,
    health_check_interval=0,
    socket_connect_timeout=PATIENCE_SECONDS,
    **connection_settings(),
)


@cache(ttl=TTL_SECONDS, key="{entity_type}:{id}", prefix="cashews")
async def load(entity_type: str, id: str) -> bytes | None:  # noqa: A002 (the name of the parameter)
    body: bytes | None = await state["pool"].fetchval(READ, entity_type, id)
    return body


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with await open_pool() as state["pool"]:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/v1/entities/{entity_type}/{id}")
async def read(entity_type: str, id: str) -> Response:  # noqa: A002 (the name of the parameter)
    body = await load(entity_type, id)
    return Response(status_code=404) if body is None else Response(body, media_type="application/json")
