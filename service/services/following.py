"""Following what others change: asks at short intervals whether it has moved, and loads it anew when it has.

The owner of a copy says what to ask and what to do. How old the copy may be is known at any time, so that whoever must
not act on an old one can refuse to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable

import structlog

from service.errors import UnavailableError

log = structlog.get_logger(__name__)


class Following:
    """``mark`` is a cheap question whose answer is another one after every change; ``on_change`` loads what changed.

    What was committed before a look began is known when it ends: the mark is asked for first, and remembered last, so
    a change between the two is loaded at once, and once more at the next look.
    """

    def __init__(
        self, name: str, mark: Callable[[], Awaitable[Hashable]], on_change: Callable[[], Awaitable[None]], *,
        every_seconds: float,
    ) -> None:  # fmt: skip
        self._name = name
        self._ask = mark
        self._on_change = on_change
        self._every_seconds = every_seconds
        self._mark: Hashable = None
        self.known_at = float("-inf")
        """When the last look began that succeeded, on `time.monotonic`: what was changed before it is known."""
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.state = "starting"

    @property
    def age_seconds(self) -> float:
        """How long ago the last look that succeeded began: nothing older than this is missing. Infinite before it."""
        return time.monotonic() - self.known_at

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """One look; those that want one at the same time come one after the other. May raise UnavailableError."""
        async with self._looking:
            began_at = time.monotonic()
            mark = await self._ask()
            if mark != self._mark:
                await self._on_change()
                self._mark = mark
            self.known_at = began_at

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except UnavailableError as error:
                self._tell(f"waiting: {error}")
            except Exception as error:
                # This loop owns whatever else may happen: without one, nothing would be followed any more.
                self.state = f"failed: {type(error).__name__}"
                log.exception("following_failed", what=self._name)
            else:
                self._tell("ok")
            await asyncio.sleep(self._every_seconds)

    def _tell(self, state: str) -> None:
        """Once, not at every look: an outage has its own lines in the log."""
        if state != self.state:
            log.info("following", what=self._name, state=state)
        self.state = state
