"""What the tests of the relay put into both servers, and see in them."""

from __future__ import annotations

import asyncpg

from service.cache.keys import HEARTBEAT, cache_key
from tests.support.reigns import Runner
from tests.support.valkey_commands import command

NAMES = [f"t:n{n}" for n in range(10)]


async def insert(sql: asyncpg.Connection, *names: str) -> None:
    for name in names:
        query = "INSERT INTO entity (entity_type, id, body) VALUES ('t', $1, '1')"
        await sql.execute(query, name.partition(":")[2])


async def hold(sql: asyncpg.Connection, redis_url: str, *names: str) -> None:
    """The cache holds these, at the version they have now."""
    generation = await sql.fetchval("SELECT aside_generation()")
    for name in names:
        version = await sql.fetchval("SELECT version FROM entity WHERE id = $1", name.partition(":")[2])
        command(redis_url, "SET", cache_key(name), f"V1 {version} {generation} 1 1 1 1 1 {name}\n1")


def held(redis_url: str, *names: str) -> int:
    return int(command(redis_url, "EXISTS", *[cache_key(name) for name in names]) or 0)


def beats(redis_url: str) -> bool:
    return command(redis_url, "EXISTS", HEARTBEAT) == "1"


def generation_of(redis_url: str) -> str:
    return (command(redis_url, "GET", HEARTBEAT) or "").partition("|")[2]


def leaders(runners: list[Runner]) -> list[Runner]:
    return [runner for runner in runners if runner.relay.state == "leading"]
