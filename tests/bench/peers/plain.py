"""FastAPI and asyncpg without any cache, as a careful engineer writes it: a pool, one statement, stored bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Request, Response
from rows import READ, open_pool

WRITE = """
INSERT INTO plain_entity AS e (entity_type, id, body, version, created_at, updated_at)
VALUES ($1, $2, $3::text::jsonb, nextval('plain_entity_version'), clock_timestamp(), clock_timestamp())
ON CONFLICT (entity_type, id) DO UPDATE
SET body = excluded.body, version = nextval('plain_entity_version'), updated_at = clock_timestamp(), deleted = false
RETURNING version, convert_to(e.body::text, 'UTF8') AS body
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with await open_pool() as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/v1/entities/{entity_type}/{id}")
async def read(entity_type: str, id: str, request: Request) -> Response:  # noqa: A002 (the name of the parameter)
    pool: asyncpg.Pool[Any] = request.app.state.pool
    body: bytes | None = await pool.fetchval(READ, entity_type, id)
    if body is None:
        return Response(status_code=404)
    return Response(body, media_type="application/json")


@app.put("/v1/entities/{entity_type}/{id}")
async def write(entity_type: str, id: str, request: Request) -> Response:  # noqa: A002 (the name of the parameter)
    pool: asyncpg.Pool[Any] = request.app.state.pool
    document = (await request.body()).decode()
    try:
        row = await pool.fetchrow(WRITE, entity_type, id, document)
    except asyncpg.DataError:
        return Response(status_code=422)
    return Response(row["body"], media_type="application/json", headers={"ETag": f'"{row["version"]}"'})
