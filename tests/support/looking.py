"""`Store.look` for stores that have coroutines only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from service.cache.entry import Reading

_looking: set[asyncio.Task[Any]] = set()


def look_by_reading(store: Any, name: str, then: Callable[[Reading | None, BaseException | None], None]) -> None:
    """Reads in a task, which is kept until it is done."""

    async def look() -> None:
        try:
            reading = await store.read(name)
        except Exception as error:  # noqa: BLE001 (handed on, as a batch does)
            then(None, error)
        else:
            then(reading, None)

    task = asyncio.get_running_loop().create_task(look())
    _looking.add(task)
    task.add_done_callback(_looking.discard)
