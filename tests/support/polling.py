"""Waiting for a condition, bounded: the only place in the tests where time passes on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

_STEP_SECONDS = 0.005


async def eventually(holds: Callable[[], bool | Awaitable[bool]], *, within_seconds: float = 10.0) -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        held = holds()
        if held if isinstance(held, bool) else await held:
            return
        assert time.monotonic() < deadline, f"not within {within_seconds:g} s: {holds}"
        await asyncio.sleep(_STEP_SECONDS)


async def turns(count: int = 8) -> None:
    """Let everything that is ready to run do so, a few turns of the event loop deep."""
    for _ in range(count):
        await asyncio.sleep(0)
