"""One object graph of the service, with a view of everything in it that a request could leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from service.cache.batch import Batch
from service.cache.recorder import NullRecorder
from service.settings import Settings
from service.wiring import Services, open_services


class Graph:
    """``began`` leads from a task to the one that it awaits, and that outlives it, if there is any."""

    def __init__(self, services: Services) -> None:
        self.entities = services.entities
        self.parameters = services.parameters
        self._engine: Any = services.entities._engine
        self.store: Any = self._engine._store
        self.database: Any = services.entities._table._database
        self.began: WeakKeyDictionary[asyncio.Task[Any], asyncio.Task[Any]] = WeakKeyDictionary()
        self._tasks: Any = self._engine._tasks
        start = self._tasks.start

        def noting(work: Any) -> asyncio.Task[Any]:
            task, parent = start(work), asyncio.current_task()
            if parent is not None:
                self.began[parent] = task
            return task

        self._tasks.start = noting

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks._running)

    @property
    def pooled(self) -> int:
        """Connections that lie in the pool."""
        return len(self.database._lending._idle)

    def occupied(self) -> dict[str, int]:
        """Everything that a request takes and has to give back. At rest these numbers are what they were."""
        store, database, missing = self.store, self.database, self._engine._missing
        batches: dict[str, Batch[Any, Any]] = {
            "reads": store._reads, "leases": store._leases, "fills": store._fills, "applies": store._applies,
            "claims": store._claims, "loads": self._engine._loads._loader._batch,
            "ledger": self._engine._settler._ledger._batch,
        }  # fmt: skip
        slots = {f"idle slots for {name}": len(batch._idle) for name, batch in batches.items()}
        waiting = {f"waiting for {name}": len(batch._waiting) for name, batch in batches.items()}
        return slots | waiting | {
            "database connections checked out": database._lending.busy,
            "free places for writers": database._writers.size - database._writers.busy,
            "flights": len(missing._flights),
            "refreshes under way": len(self._engine._refresher._under_way),
            "tasks of requests": len(self._tasks._running),
        }  # fmt: skip


@asynccontextmanager
async def open_graph(settings: Settings) -> AsyncIterator[Graph]:
    async with open_services(settings, NullRecorder()) as services:
        yield Graph(services)
