"""Looks, twenty times a second, at how late the event loop is, and tells who decides what is to be refused."""

from __future__ import annotations

import asyncio

from service.domain.shedding import Shedding

_LOOK_SECONDS = 0.05


class LoopLag:
    """As long as it runs."""

    def __init__(self, shedding: Shedding) -> None:
        self._shedding = shedding
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self._shedding.note(max(0.0, loop.time() - due))
