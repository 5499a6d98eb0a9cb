"""A type is given up while two versions serve: what was cached of it must not be answered any more, whoever leads."""

from __future__ import annotations

import json
from dataclasses import dataclass

import httpx

from tests.support.valkey_commands import command
from tests.support.waiting import eventually

PATH = "/v1/entities/planted/one"
KEY = "cache:planted:one"


@dataclass(frozen=True, slots=True)
class Purged:
    """``was_served``: a false entry, planted in the cache, was answered before; ``still_served``: afterwards too."""

    was_served: bool
    still_served: bool


async def purge_a_type(url: str, redis_url: str) -> Purged:
    """Of a type of its own. ``url`` is a replica that knows how to: one of today's."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=10) as client:
        (await client.put(PATH, json={"is": "true"})).raise_for_status()

        async def is_cached() -> bool:
            return "hit" in (await client.get(PATH)).headers["cache-status"]

        async def is_false() -> bool:
            return bool((await client.get(PATH)).json()["is"] == "false")

        await eventually(is_cached)
        head, _, _ = (command(redis_url, "GET", KEY) or "").partition("\n")
        command(redis_url, "SET", KEY, f"{head}\n{json.dumps({'is': 'false'})}", "KEEPTTL")
        was_served = await is_false()
        (await client.post("/v1/cache/purge", json={"entity_type": "planted"})).raise_for_status()
        return Purged(was_served, await is_false())
