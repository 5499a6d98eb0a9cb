"""What has to be there before the load begins: somebody who answers, keys of parameters, entities to read."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from service.bench.errors import BadOptionError, UnreachableError
from service.bench.plan import Plan
from service.bench.requests import document
from service.bench.target import Target

_CLIENTS = 16
_TIMEOUT_SECONDS = 10.0
_MOST_PARAMETERS = 100_000
_PAGE = 1000


@asynccontextmanager
async def client_of(target: Target) -> AsyncIterator[httpx.AsyncClient]:
    """For the few requests around the load. Raises UnreachableError from inside where nobody answers."""
    limits = httpx.Limits(max_connections=_CLIENTS, max_keepalive_connections=_CLIENTS)
    # As the generators do: by the authorities of the system, or those that SSL_CERT_FILE names.
    trusted = ssl.create_default_context() if target.is_tls else False
    async with httpx.AsyncClient(
        base_url=target.url,
        headers=target.headers,
        limits=limits,
        timeout=_TIMEOUT_SECONDS,
        trust_env=False,
        verify=trusted,
    ) as client:
        try:
            yield client
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise UnreachableError(f"nobody answers at {target.url}: {reason}") from error


async def check_reachable(client: httpx.AsyncClient, plan: Plan) -> None:
    """Any answer will do. Raises httpx.TransportError where there is none."""
    await client.get(_paths(plan)[0])


async def list_parameters(client: httpx.AsyncClient) -> tuple[str, ...]:
    """The keys of all parameters, or of the first 100,000."""
    keys: list[str] = []
    cursor: str | None = ""
    while cursor is not None and len(keys) < _MOST_PARAMETERS:
        query: dict[str, str | int] = {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/v1/parameters", params=query)
        if not answer.is_success:
            raise UnreachableError(_refused(client, "GET /v1/parameters", answer))
        page = answer.json()
        keys += [parameter["key"] for parameter in page["parameters"]]
        cursor = page["next_cursor"]
    if not keys:
        raise BadOptionError(f"there are no parameters at {str(client.base_url).rstrip('/')}: put some there first")
    return tuple(keys)


async def seed(client: httpx.AsyncClient, plan: Plan, stop: asyncio.Event, *, written: list[str]) -> None:
    """Write the plan's entities, until told to stop, and note in ``written`` the paths of those that may be there.

    Raises UnreachableError where the service will not have them, httpx.TransportError where there is none.
    """
    body, headers = document(plan.body_bytes), {"Content-Type": "application/json"}

    async def put(path: str) -> None:
        written.append(path)
        try:
            answer = await client.put(path, content=body, headers=headers)
        except httpx.ConnectError:
            written.remove(path)
            raise
        if not answer.is_success:
            raise UnreachableError(_refused(client, f"PUT {path}", answer))

    await _for_each(_paths(plan), put, stop)


async def remove(client: httpx.AsyncClient, paths: list[str]) -> int:
    """Take entities away again, and say how many of them may be left: the service may be gone by now."""
    gone, is_lost = set[str](), asyncio.Event()

    async def delete(path: str) -> None:
        try:
            if (await client.delete(path)).status_code in {204, 404}:
                gone.add(path)
        except httpx.TransportError:
            is_lost.set()  # to wait for each of a thousand would take long

    await _for_each(paths, delete, is_lost)
    return len(paths) - len(gone)


async def _for_each(paths: list[str], do: Callable[[str], Awaitable[None]], stop: asyncio.Event) -> None:
    """Several at a time."""
    queue = iter(paths)

    async def work() -> None:
        for path in queue:
            if stop.is_set():
                return
            await do(path)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(work())
    except* (httpx.TransportError, UnreachableError) as errors:
        raise errors.exceptions[0] from None


def _paths(plan: Plan) -> list[str]:
    return [plan.subject.path.replace("{id}", name) for name in plan.subject.ids]


def _refused(client: httpx.AsyncClient, what: str, answer: httpx.Response) -> str:
    if answer.status_code in {401, 403}:
        return f"{_base(client)} answers {answer.status_code} to {what}: ASIDE_API_KEY needs a key that may do this"
    return f"{_base(client)} answers {answer.status_code} to {what}. If it is no Aside, say --path /what/to/load"


def _base(client: httpx.AsyncClient) -> str:
    return str(client.base_url).rstrip("/")
