"""Bounded waiting: the one place where the tests of failures let time pass."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

Condition = Callable[[], Awaitable[T]] | Callable[[], T]

_STEP_SECONDS = 0.01


async def eventually(
    condition: Condition[T], *, within_seconds: float = 10.0, step_seconds: float = _STEP_SECONDS
) -> T:
    """Ask until the answer is true, and return it. What is false for too long, fails."""
    deadline = time.monotonic() + within_seconds
    while True:
        answer = condition()
        result: T = await answer if inspect.isawaitable(answer) else answer
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {within_seconds:g} s: {_said(condition)}"
        await asyncio.sleep(step_seconds)


def _said(condition: object) -> str:
    return inspect.getsource(condition).strip() if inspect.isfunction(condition) else repr(condition)


async def lasting(seconds: float) -> None:
    """Let what runs beside go on for so long."""
    await asyncio.sleep(seconds)
