"""The parts of compose.yaml, real and together: what they serve, what they survive, what they refuse."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL
from pathlib import Path

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoPermissionError  # noqa: A004 (Redis's)

from tests.integration.deploy.conftest import HOSTS, Stack
from tests.support.compose import Volumes
from tests.support.compose_servers import prepare
from tests.support.waiting import eventually

BOOK = "/v1/entities/book/dune"
_ANSWERED = re.compile(r"aside_request_seconds_count{.*entities")


@pytest.fixture
async def door(stack: Stack):
    """A client of the load balancer, once every replica is ready behind it."""
    key = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=stack.door, headers=key, trust_env=False, timeout=10) as client:
        for host in HOSTS:
            await eventually(lambda host=host: is_ready(f"http://{host}:{stack.port}"), within_seconds=60)
        await eventually(lambda: is_ready(stack.door), within_seconds=30)
        yield client


async def is_ready(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{url}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


async def exit_code_of(command: list[str], environment: dict[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=DEVNULL)
    return await process.wait()


async def served(stack: Stack, host: str) -> float:
    """How many requests for entities a replica has answered, asked with the key that Prometheus has."""
    key = (stack.volumes["secrets-prometheus"] / "metrics-key").read_text().strip()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        text = (await client.get(f"http://{host}:{stack.port}/metrics")).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if _ANSWERED.match(line))


async def test_requests_are_spread_and_a_killed_replica_fails_no_read(stack: Stack, door: httpx.AsyncClient):
    assert (await door.put(BOOK, json={"title": "Dune"})).status_code == 201
    statuses: list[int] = []
    killed = asyncio.Event()

    async def read_until(enough: int) -> None:
        while not killed.is_set() or len(statuses) < enough:
            statuses.append((await door.get(BOOK)).status_code)

    readers = [asyncio.create_task(read_until(1500)) for _ in range(8)]
    await eventually(lambda: len(statuses) > 500, within_seconds=60)

    async def are_both_asked() -> bool:
        return min([await served(stack, host) for host in HOSTS]) > 50

    await eventually(are_both_asked, within_seconds=30)  # the door counts a replica in after its second good check
    stack.kill_replica(HOSTS[0])
    killed.set()
    await asyncio.gather(*readers)
    assert set(statuses) == {200}
    assert (await door.put(BOOK, json={"title": "Dune, again"})).status_code == 200
    stack.start_replica(HOSTS[0])


async def test_the_door_finds_a_replica_that_was_started_again(stack: Stack, door: httpx.AsyncClient):
    before = await served(stack, HOSTS[0])

    async def reaches_it() -> bool:
        for _ in range(10):
            await door.get(BOOK)
        return await served(stack, HOSTS[0]) > before

    await eventually(reaches_it)
    assert (await door.get("/metrics")).status_code == 404


async def test_the_role_of_the_services_may_serve_and_its_password_is_asked_for(stack: Stack, door: httpx.AsyncClient):
    url = stack.volumes.environment("aside")["DATABASE_URL"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url, password="guessed")
    password = (stack.volumes["secrets-aside"] / "database-password").read_text()
    connection = await asyncpg.connect(url, password=password)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("TRUNCATE entity")
    await connection.close()


async def test_whoever_has_no_key_gets_nothing_and_prometheus_metrics_only(stack: Stack, door: httpx.AsyncClient):
    assert (await door.get(BOOK, headers={"Authorization": ""})).status_code == 401
    metrics_key = (stack.volumes["secrets-prometheus"] / "metrics-key").read_text().strip()
    assert (await door.get(BOOK, headers={"Authorization": f"Bearer {metrics_key}"})).status_code == 403


async def test_valkey_lets_aside_do_what_it_does_and_others_nothing(stack: Stack, cache_socket: Path, door):
    assert (await door.get("/v1/cache/stats")).json()["cache"]["state"] == "ok"
    password = (stack.volumes["secrets-aside"] / "cache-password").read_text()
    async with Redis(unix_socket_path=str(cache_socket), username="aside", password=password) as as_aside:
        for command in ("FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST", "GET other", "SET cache2 x"):
            with pytest.raises(NoPermissionError):
                await as_aside.execute_command(*command.split())
    async with Redis(unix_socket_path=str(cache_socket), protocol=2, retry=Retry(NoBackoff(), 0)) as stranger:
        with pytest.raises(ConnectionError, match="Authentication required"):
            await stranger.ping()
    async with Redis(unix_socket_path=str(cache_socket), username="health", password="any") as health:
        assert await health.ping()
        with pytest.raises(NoPermissionError):
            await health.get("cache:book:dune")


def test_secrets_are_made_once_and_each_service_sees_its_own(volumes: Volumes):
    seen = {
        folder.name: {file.name: file.read_text() for file in folder.iterdir()}
        for folder in volumes["vault"].parent.glob("for/*")
    }
    assert {service: set(files) for service, files in seen.items()} == {
        "postgres": {"owner-password"},
        "migrate": {"owner-password", "database-password"},
        "aside": {"database-password", "cache-password"},
        "valkey": {"valkey.acl"},
        "grafana": {"grafana-password"},
    }
    assert seen["aside"]["cache-password"] not in seen["valkey"]["valkey.acl"]
    assert prepare(volumes).returncode == 0
    assert (volumes["secrets-aside"] / "cache-password").read_text() == seen["aside"]["cache-password"]
    assert prepare(volumes, "rotate", "owner-password").returncode == 2


async def test_the_image_knows_when_it_lives_and_ends_in_order(stack: Stack, door: httpx.AsyncClient):
    environment = {**stack.image.environment, "ASIDE_PORT": str(stack.port)}
    check = [word.replace("127.0.0.1", HOSTS[1]) for word in stack.image.health]
    assert await exit_code_of(check, environment) == 0
    ending = stack.replicas[HOSTS[1]]
    ending.terminate()
    statuses = set()
    while ending.poll() is None:  # unready but serving, then gone: by then nobody is sent to it
        statuses.add((await door.get(BOOK)).status_code)
    assert (statuses, ending.returncode) == ({200}, 0)
    assert await exit_code_of(check, environment) != 0
