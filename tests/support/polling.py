"""Letting tasks run without letting time pass; for conditions that take time there is `tests.support.waiting`."""

from __future__ import annotations

import asyncio


async def turns(count: int = 8) -> None:
    """Let everything that is ready to run do so, a few turns of the event loop deep."""
    for _ in range(count):
        await asyncio.sleep(0)
