"""Links that break, Redis that loses its data or its room, PostgreSQL that ends sessions; and what plain SQL may do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import asyncpg

from tests.chaos.fault_kinds import INJECTIONS, Inject, kind
from tests.chaos.plan import Fault
from tests.chaos.redis_leg import MAX_MEMORY
from tests.chaos.stage import Stage

DATABASE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""OSError: TimeoutError too."""
_TERMINATE = {
    "all": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aside'",
    "some": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aside'"
    " AND random() < 0.4",
    "relay": "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted",
}


def _bend(what: str, **how: Any) -> Inject:
    def inject(stage: Stage, fault: Fault) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def bent() -> AsyncIterator[None]:
            await stage.links.do(fault.target, what, **how)
            try:
                yield
            finally:
                await stage.links.do(fault.target, "restore")

        return bent()

    return inject


INJECTIONS |= {
    "cut link": _bend("cut"),
    "blackhole link": _bend("blackhole"),
    "mute link": _bend("mute"),
    "stall link": _bend("stall"),
    "delay link": _bend("delay", delay_seconds=0.06),
    "throttle link": _bend("throttle", bytes_per_second=60_000),
    "tear link": _bend("tear", tear_chance=0.02),
    "reset link": _bend("reset"),
}


def _tell_once(*words: str) -> Inject:
    def inject(stage: Stage, _fault: Fault) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def told() -> AsyncIterator[None]:
            await asyncio.to_thread(stage.redis.tell, *words)
            yield

        return told()

    return inject


INJECTIONS |= {
    "flushall": _tell_once("FLUSHALL"),
    "script flush": _tell_once("SCRIPT", "FLUSH"),
    "kill redis clients": _tell_once("CLIENT", "KILL", "TYPE", "normal"),
}


@kind("eviction storm")
@asynccontextmanager
async def eviction_storm(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    """Room for a quarter of what it holds: heartbeat, watermark, leases and entries go alike."""
    used = await asyncio.to_thread(stage.redis.tell, "INFO", "memory") or ""
    numbers = dict(line.split(":", 1) for line in used.splitlines() if ":" in line)
    overhead = int(numbers.get("used_memory_startup", 900_000)) + int(numbers.get("mem_clients_normal", 0))
    data = max(100_000, int(numbers.get("used_memory", 2_000_000)) - overhead)
    await asyncio.to_thread(stage.redis.tell, "CONFIG", "SET", "maxmemory-policy", fault.target)
    await asyncio.to_thread(stage.redis.tell, "CONFIG", "SET", "maxmemory", str(overhead + data // 4))
    try:
        yield
    finally:
        await _room_again(stage)


@kind("redis out of memory")
@asynccontextmanager
async def out_of_memory(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    await asyncio.to_thread(stage.redis.tell, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    await asyncio.to_thread(stage.redis.tell, "CONFIG", "SET", "maxmemory", "1mb")
    try:
        yield
    finally:
        await _room_again(stage)


async def _room_again(stage: Stage) -> None:
    """On every server, as soon as it answers; one that is restarted meanwhile has its room anyway."""
    from tests.support.valkey_commands import command

    for server in stage.redis.servers:
        for _ in range(200):
            try:
                await asyncio.to_thread(
                    command, server.url, "CONFIG", "SET", "maxmemory", MAX_MEMORY, timeout_seconds=1
                )
                await asyncio.to_thread(command, server.url, "CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
                break
            except (OSError, RuntimeError, ValueError):
                await asyncio.sleep(0.2)


@kind("terminate backends")
@asynccontextmanager
async def terminate_backends(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    with suppress(*DATABASE_ERRORS):
        connection = await stage.database()
        try:
            await connection.execute(_TERMINATE[fault.target])
        finally:
            connection.terminate()
    yield


@kind("long transaction")
@asynccontextmanager
async def long_transaction(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    """Takes its number and its version early, pins the snapshot of everybody else, and commits late."""
    connection = None
    try:
        with suppress(*DATABASE_ERRORS):
            connection = await stage.database(command_timeout=None)
            await connection.execute(
                "BEGIN; INSERT INTO entity (entity_type, id, body)"
                f""" VALUES ('thing', 'late', '{{"key": "thing:late", "mark": "late {fault.at}"}}')"""
                " ON CONFLICT (entity_type, id) DO UPDATE SET body = excluded.body, deleted = false"
            )
        yield
        if connection is not None:
            with suppress(*DATABASE_ERRORS):
                await asyncio.wait_for(connection.execute("COMMIT"), 5)
    finally:
        if connection is not None:
            connection.terminate()
