"""FastAPI and aiocache."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiocache import Cache, cached
from aiocache.serializers import NullSerializer
from fastapi import FastAPI, Response
from redis_client import HOST, PATIENCE_SECONDS, PORT, TTL_SECONDS, connection_settings
from rows import READ, open_pool

logging.getLogger("aiocache").setLevel(logging.CRITICAL)
state: dict[str, Any] = {}


@cached(
    ttl=TTL_SECONDS,
    cache=Cache.REDIS,
    key_builder=lambda _, *key: ":".join(("aiocache", *key)),
    serializer=NullSerializer(encoding=None),  # bytes stay bytes
    timeout=0,  # the sockets have timeouts; one more per operation costs a task each
    endpoint=HOST,
    port=PORT,
    create_connection_timeout=PATIENCE_SECONDS,
    connection_pool_kwargs=connection_settings(),
)
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
