"""How a write goes about the cache: what is learned before its transaction, what is told after the commit."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.cache.engine import Engine
from service.cache.entry import Settled
from service.cache.keys import name_of
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.tasks import Tasks
from service.domain.entity import EntityKey, WrittenRow
from service.domain.row import VersionedRow
from service.errors import AsideError, NotFoundError, PreconditionFailedError


@dataclass(frozen=True, slots=True)
class Written:
    """A committed write, and what may be said of the cache. ``is_repeat``: an earlier attempt has committed it."""

    row: WrittenRow
    settled: Settled
    is_repeat: bool = False


class Writer:
    """Every write is one short transaction, and finishes although its client goes away."""

    def __init__(self, engine: Engine, tasks: Tasks, recorder: Recorder, policy_of: Callable[[str], Policy]) -> None:
        self._engine = engine
        self._tasks = tasks
        self._recorder = recorder
        self._policy_of = policy_of

    async def write(self, key: EntityKey, transact: Callable[[], Awaitable[WrittenRow]], *, wait: bool) -> Written:
        """``wait`` False: do not wait for a cache that cannot be reached. Raises whatever ``transact`` raises."""
        return await self._tasks.finish(self._write(key, transact, wait=wait))

    async def _write(self, key: EntityKey, transact: Callable[[], Awaitable[WrittenRow]], *, wait: bool) -> Written:
        name, policy = name_of(key.entity_type, key.id), self._policy_of(key.entity_type)
        intent = await self._engine.intend(name, policy)
        started = time.monotonic()
        try:
            row = await transact()
        except BaseException as error:
            self._engine.withdraw(name, intent)
            if isinstance(error, AsideError):
                self._recorder.write(refusal_of(error))
            raise
        committed = time.monotonic()
        settled = await self._engine.settle(
            name,
            policy,
            VersionedRow(row.version, row.body, row.modified_at_ms, row.ttl_seconds),
            intent,
            since=committed,
            cost_ms=(committed - started) * 1000,
            wait=wait,
        )
        self._recorder.write(settled.value)
        return Written(row, settled)


def refusal_of(error: AsideError) -> str:
    """What the recorder calls a write that ended with this error."""
    if isinstance(error, PreconditionFailedError):
        return "precondition_failed"
    return "not_found" if isinstance(error, NotFoundError) else "failed"
