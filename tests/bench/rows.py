"""Rows to read, put there as quickly as PostgreSQL can: past the triggers, with versions from the sequence.

Right only before the service starts: no cache can hold anything of these keys yet, so no change has to be noted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import asyncpg
from redis.asyncio import Redis

from tests.bench.plan import BODY_BYTES, Plan

_FRAME_BYTES = len('{"id": "0000001", "text": ""}')
_INSERT = """
INSERT INTO entity (entity_type, id, body, version, created_at, updated_at)
SELECT $1, number::text, jsonb_build_object('id', lpad(number::text, 7, '0'), 'text', left(filler.text, $3)),
       nextval('entity_version'), clock_timestamp(), clock_timestamp()
FROM generate_series(1, $2::int) AS number,
LATERAL (SELECT string_agg(md5((number * 1000 + part)::text), '') AS text
         FROM generate_series(0, $3::int / 32) AS part) AS filler
"""
_PARAMETERS = """
INSERT INTO entity (entity_type, id, body, version, created_at, updated_at)
SELECT 'parameter', number::text, jsonb_build_object('type', 'string', 'value', repeat('x', 200)),
       nextval('entity_version'), clock_timestamp(), clock_timestamp()
FROM generate_series(1, $1::int) AS number
"""
_PLAIN = (
    "CREATE TABLE plain_entity (LIKE entity INCLUDING ALL)",
    "CREATE SEQUENCE plain_entity_version",
    "INSERT INTO plain_entity SELECT * FROM entity WHERE entity_type = 'written'",
)
OTHER_TYPES = ("hot", "thing", "seen")
"""For cells that count or time single keys."""
_PIPELINE = 2_000


def seed(database_url: str, plan: Plan) -> None:
    """All rows that any cell reads or replaces, and the plain table beside them."""
    asyncio.run(_seed(database_url, plan))


async def _seed(database_url: str, plan: Plan) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET session_replication_role = replica")  # no triggers
        for entity_type, size in BODY_BYTES.items():
            count = plan.rows if entity_type == "item" else plan.keys
            await connection.execute(_INSERT, entity_type, count, size - _FRAME_BYTES)
        for entity_type in OTHER_TYPES:
            await connection.execute(_INSERT, entity_type, plan.keys, BODY_BYTES["item"] - _FRAME_BYTES)
        await connection.execute(_INSERT, "written", plan.written_keys, BODY_BYTES["item"] - _FRAME_BYTES)
        await connection.execute(_PARAMETERS, plan.keys)
        await connection.execute("SET session_replication_role = DEFAULT")
        for statement in (*_PLAIN, "VACUUM (ANALYZE)", "CHECKPOINT"):
            await connection.execute(statement)
    finally:
        await connection.close()


def copy_to_valkey(database_url: str, redis_url: str, entity_type: str, count: int) -> None:
    """The documents themselves at `raw:<type>:<id>`: what Webdis, which knows no database, hands out."""
    asyncio.run(_copy(database_url, redis_url, entity_type, count))


async def _copy(database_url: str, redis_url: str, entity_type: str, count: int) -> None:
    connection = await asyncpg.connect(database_url)
    redis = Redis.from_url(redis_url)
    try:
        async with connection.transaction():
            cursor = await connection.cursor(
                "SELECT id, body::text AS body FROM entity WHERE entity_type = $1 AND id::int <= $2", entity_type, count
            )
            while rows := await cursor.fetch(_PIPELINE):
                await _set_all(redis, entity_type, rows)
    finally:
        await redis.aclose()
        await connection.close()


async def _set_all(redis: Redis, entity_type: str, rows: Iterable[asyncpg.Record]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for row in rows:
        pipeline.set(f"raw:{entity_type}:{row['id']}", row["body"])
    await pipeline.execute()
