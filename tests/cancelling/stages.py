"""How far a request had come when it was cancelled, as its own stack of coroutines tells."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

from tests.cancelling.graph import Graph

BEFORE = "before it began"
BATCHED = "read of Redis, waiting to be sent"
READING = "read of Redis, reply on its way"

_STAGES = {
    # What waits for the store waits for a future: the coroutine that asked is the innermost.
    "Engine.get": READING,
    "Missing.resolve": READING,
    "Engine.get_many": "read of many",
    "Engine.intend": "taking a lease",
    "Missing._lead": "taking a lease",
    "Missing._load_and_fill": "filling",
    "Settler.try_fill": "filling",
    "Missing._make_safe": "telling the cache of a version",
    "Settler.try_apply": "telling the cache of a version",
    "Refresher.renew": "telling the cache of a version",
    "RedisStore.claim_refresh": "claiming a refresh",
    "Flights.wait": "waiting for this process's loader",
    "Missing._await_value": "waiting for another process's lease",
    "SourceLoader._in_time": "loading from PostgreSQL",
    "Settler.settle": "settling with the cache out of reach",
    "Settler._coverage": "settling with the cache out of reach",
    "SchemaChecker.check": "checking against a JSON Schema",
    "execute_write": "writing: statement and commit",
    "EntityTable._write": "writing: waiting for a connection",
    "ParameterTable._write": "writing: waiting for a connection",
    "Tasks.finish": "just handed to a task of its own",
}


def stage_of(task: asyncio.Task[Any], graph: Graph, name: str) -> str:
    """Call before `cancel`. ``name`` is that of the entity which is asked for."""
    coroutine = task.get_coro()
    if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        return BEFORE
    chain = list(_chain(task, graph))
    for step in reversed(chain):
        stage = _STAGES.get(step)
        if stage is not None:
            is_batched = stage == READING and name in graph.store._reads._waiting
            return BATCHED if is_batched else stage
    return "elsewhere"


def _chain(task: asyncio.Task[Any], graph: Graph) -> Iterator[str]:
    """The coroutines of a task from the outside in, and on into the task that finishes in its stead."""
    seen = 0
    while task is not None and seen < 4:
        coroutine: Any = task.get_coro()
        while (code := getattr(coroutine, "cr_code", None)) is not None:
            yield code.co_qualname
            coroutine = coroutine.cr_await
        task, seen = graph.began.get(task), seen + 1  # type: ignore[assignment]
