"""Notes when keys were last used: once a minute at most for each key and process, all of them in one statement."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog

from service.db.api_keys import ApiKeyTable
from service.errors import UnavailableError
from service.services.access import Access

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 60.0


class KeyUses:
    """Of one process. What was used while PostgreSQL was away is noted when it is back."""

    def __init__(self, access: Access, table: ApiKeyTable, *, every_seconds: float = _EVERY_SECONDS) -> None:
        self._access = access
        self._table = table
        self._every_seconds = every_seconds
        self._noted_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """The uses of the last minute are noted, if PostgreSQL takes them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(UnavailableError):
            await self.note()

    async def note(self) -> None:
        """May raise UnavailableError: then nothing is lost."""
        now = time.monotonic()
        ages = {key_id: now - used_at for key_id, used_at in self._access.used_since(self._noted_at).items()}
        if ages:
            await self._table.used(ages)
        self._noted_at = now

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                await self.note()
            except UnavailableError:
                pass  # said by others
            except Exception:
                # This loop owns whatever else may happen: without one, no use would be noted any more.
                log.exception("key_uses_failed")
