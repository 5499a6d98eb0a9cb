"""What happens when the cache stops: shown with servers of its own, so that nothing of yours is stopped."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from service.demo.lines import console, show
from service.embedded import EmbeddedError, Valkey, free_port, private_postgres, private_valkey
from service.embedded.private import private_folder
from service.embedded.processes import Launch, spawn

_PATH = "/v1/parameters/app:config:max_users"
_BOUND_SECONDS = 1
_PATIENCE_SECONDS = 30


async def show_outage() -> None:
    """Start a stack, stop its Valkey, start it again; meanwhile a reader never stops reading."""
    console.print("\nNow the cache stops. For this a PostgreSQL, a Valkey and a service of their own are started …")
    try:
        with private_postgres() as postgres, private_valkey() as valkey, _service(postgres.url, valkey.url) as url:
            async with httpx.AsyncClient(base_url=url, timeout=10) as client:
                await _show(client, valkey)
    except EmbeddedError as error:
        console.print(f"  left out: {error}", markup=False)


async def _show(client: httpx.AsyncClient, valkey: Valkey) -> None:
    await _until_ready(client)
    await show(client, "set", "PUT", _PATH, json={"type": "integer", "value": 100})
    await _until(client, "; hit")
    async with _reading_on(client) as reader:
        await show(client, "get", "GET", _PATH)
        await asyncio.sleep(_BOUND_SECONDS / 2)
        valkey.kill()
        console.print("  [bold]Valkey is killed.[/]")
        await _until(client, "fwd=")
        await show(client, "get: out of PostgreSQL", "GET", _PATH)
        await show(client, "set: waits for B, at most", "PUT", _PATH, json={"type": "integer", "value": 150})
        reader.oldest_allowed = 150
        await show(client, "get: the new value", "GET", _PATH)
        await show(client, "set again", "PUT", _PATH, json={"type": "integer", "value": 151})
        reader.oldest_allowed = 151
        await asyncio.to_thread(valkey.start)
        console.print("  [bold]Valkey is back, empty.[/]")
        await _until(client, "; hit")
        await show(client, "get: a hit again", "GET", _PATH)
    console.print(
        f"  A reader asked {reader.answered + reader.failed:,} times meanwhile: {reader.failed} failures, "
        f"{reader.old} old values, the slowest answer took {reader.slowest_seconds * 1000:.0f} ms "
        f"(B, the bound, is {_BOUND_SECONDS} s here)."
    )


@dataclass(slots=True)
class _Reader:
    answered: int = 0
    failed: int = 0
    old: int = 0
    oldest_allowed: int = 100
    slowest_seconds: float = 0.0

    async def read(self, client: httpx.AsyncClient) -> None:
        allowed, started = self.oldest_allowed, time.perf_counter()
        answer = await client.get(f"{_PATH}/value")
        self.slowest_seconds = max(self.slowest_seconds, time.perf_counter() - started)
        if answer.is_success:
            self.answered += 1
            self.old += int(answer.text) < allowed
        else:
            self.failed += 1


@asynccontextmanager
async def _reading_on(client: httpx.AsyncClient) -> AsyncIterator[_Reader]:
    reader, stopping = _Reader(), asyncio.Event()

    async def run() -> None:
        while not stopping.is_set():
            await reader.read(client)
            await asyncio.sleep(0.005)

    task = asyncio.create_task(run())
    try:
        yield reader
    finally:
        stopping.set()
        await task


async def _until(client: httpx.AsyncClient, word: str) -> None:
    """Until the cache is used again, or no more."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            if word in (await client.get(_PATH)).headers.get("cache-status", ""):
                return
            await asyncio.sleep(0.02)


async def _until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            with suppress(httpx.TransportError):
                if (await client.get("/readyz")).json()["status"] == "ready":
                    return
            await asyncio.sleep(0.05)


@contextmanager
def _service(database_url: str, redis_url: str) -> Iterator[str]:
    """A service on a free port, ended at the end."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ASIDE_", "PROMETHEUS_"))}
    environment |= {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ASIDE_PORT": str(port),
        "ASIDE_BOUND_SECONDS": str(_BOUND_SECONDS),
        "ASIDE_MIGRATE_ON_START": "true",
    }
    with private_folder() as folder:
        launch = Launch(
            argv=[Path(sys.executable), "-m", "service", "serve"], log=folder / "service.log", environment=environment
        )
        process = spawn(launch)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
