"""Is everything at rest again? What this process, PostgreSQL and Valkey hold, before and after."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import asyncpg

from service.cache.entry import NO_WISH
from service.domain.entity import EntityKey
from tests.cancelling.findings import Findings
from tests.cancelling.graph import Graph
from tests.cancelling.requests import KIND
from tests.support.activity import database_connections
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

T = TypeVar("T")

SECONDS = 20.0
"""How long a storm may take to abate."""
_CLOSE_WAIT = "08"
_BUSY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'aside' AND state <> 'idle'"""


class Rest(NamedTuple):
    """``descriptors`` are the process's open files by kind, without its connections to PostgreSQL and Valkey: the pool
    opens more when it needs them, a former leader keeps its own, and one that was cut is opened when it is needed.
    ``redis_clients`` are those, cut ones included, and ``lanes`` what they may be: one more for each relay.
    """

    tasks: int
    redis_clients: int
    lanes: int
    descriptors: tuple[tuple[str, int], ...]
    occupied: tuple[tuple[str, int], ...] = ()


def descriptors(pid: int | str, *, sockets_aside: int) -> tuple[tuple[str, int], ...]:
    """``sockets_aside`` of the sockets do not count."""
    kinds: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists the others
            kinds[str(entry.readlink()).partition(":")[0]] += 1
    kinds["socket"] -= sockets_aside
    return tuple(sorted(kinds.items()))


def half_closed(pid: int | str) -> int:
    """Connections whose other end is gone: a lane to Valkey notices that when it is used the next time, not before."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    waiting = {f"socket:[{fields[9]}]" for fields in lines if fields[3] == _CLOSE_WAIT}
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += str(entry.readlink()) in waiting
    return found


def redis_clients(redis_url: str, name: str) -> int:
    clients = command(redis_url, "CLIENT", "LIST") or ""
    return sum(f" name={name} " in line for line in clients.splitlines())


async def look(graphs: Sequence[Graph], *, database_url: str, redis_url: str) -> Rest:
    backends = await database_connections(database_url)
    clients = await asyncio.to_thread(redis_clients, redis_url, "aside")
    relays = await asyncio.to_thread(redis_clients, redis_url, "aside-relay")
    cut = half_closed("self")
    return Rest(
        tasks=len(asyncio.all_tasks()),
        redis_clients=clients + relays + cut,
        lanes=clients + len(graphs),
        descriptors=descriptors("self", sockets_aside=backends + clients + relays + cut),
        occupied=tuple((f"{what} ({n})", count) for n, g in enumerate(graphs) for what, count in g.occupied().items()),
    )


async def when_calm(look_again: Callable[[], Awaitable[T]]) -> T:
    """What is seen three times in a row: followers of the relay come and go, and connections are opened at leisure."""
    seen: list[T] = []

    async def settled() -> bool:
        seen.append(await look_again())
        return len(seen) >= 3 and seen[-1] == seen[-2] == seen[-3]

    await eventually(settled, within_seconds=SECONDS, step_seconds=0.1)
    return seen[-1]


async def await_rest(
    graphs: Sequence[Graph], calm: Rest, findings: Findings, *, database_url: str, redis_url: str
) -> None:
    """Wait until all is as it was when calm; what is not, after a while, is a leak."""
    last = calm

    async def rested() -> bool:
        nonlocal last
        last = await look(graphs, database_url=database_url, redis_url=redis_url)
        return not _differences(calm, last)

    async def backends_accounted_for() -> bool:
        """No session beyond what lies in the pools, and the relay's own."""
        return await database_connections(database_url) <= sum(graph.pooled for graph in graphs) + 1

    async def all_idle() -> bool:
        connection = await asyncpg.connect(database_url)
        try:
            # The relay's own session may be caught at its poll: it is not part of any request.
            return bool(await connection.fetchval(_BUSY) <= 1)
        finally:
            await connection.close()

    for what, condition in (("rest", rested), ("backends", backends_accounted_for), ("idle", all_idle)):
        try:
            await eventually(condition, within_seconds=SECONDS, step_seconds=0.05)
        except AssertionError:
            findings.leaks.append(f"{what}: {_differences(calm, last) if what == 'rest' else 'too many sessions'}")


def _differences(calm: Rest, last: Rest) -> str:
    was, now = _numbers(calm), _numbers(last)
    pairs = [(what, was.get(what, 0), now.get(what, 0)) for what in {**was, **now}]
    pairs.append(("clients of Valkey", calm.lanes, max(calm.lanes, last.redis_clients)))  # fewer are no leak
    return "; ".join(f"{what}: {before} when calm, {after} now" for what, before, after in pairs if before != after)


def _numbers(rest: Rest) -> dict[str, int]:
    files = {f"open files of kind {kind}": count for kind, count in rest.descriptors}
    return {**dict(rest.occupied), **files, "tasks": rest.tasks}


async def compare_with_postgresql(graph: Graph, ids: Sequence[str], findings: Findings, *, database_url: str) -> None:
    """Every key can be read, and is what PostgreSQL has."""
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT entity_type, id, version, body::text FROM entity")
    await connection.close()
    truth = {(row["entity_type"], row["id"]): row for row in rows}
    for entity_id in ids:
        row = truth[KIND, entity_id]
        answer = await graph.entities.get(EntityKey(KIND, entity_id), NO_WISH)
        if answer.version != row["version"] or json.loads(answer.body or b"null") != json.loads(row["body"]):
            findings.violated(f"{entity_id}: {answer} is not what PostgreSQL has: {dict(row)}")
        parameter, row = await graph.parameters.get(entity_id, NO_WISH), truth["parameter", entity_id]
        value = json.loads(parameter.body or b"{}").get("value")
        if parameter.version != row["version"] or value != json.loads(row["body"])["value"]:
            findings.violated(f"parameter {entity_id}: {parameter} is not what PostgreSQL has: {dict(row)}")
