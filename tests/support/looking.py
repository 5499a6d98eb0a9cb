"""What takes a callback, for stand-ins that have coroutines only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

V = TypeVar("V")

_asking: set[asyncio.Task[Any]] = set()


def call_back(work: Awaitable[V], then: Callable[[V | None, BaseException | None], None]) -> None:
    """Awaits it in a task, which is kept until it is done, and tells ``then`` as a batch does."""

    async def ask() -> None:
        try:
            value = await work
        except Exception as error:  # noqa: BLE001 (handed on, as a batch does)
            then(None, error)
        else:
            then(value, None)

    task = asyncio.get_running_loop().create_task(ask())
    _asking.add(task)
    task.add_done_callback(_asking.discard)
