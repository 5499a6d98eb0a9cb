"""An event loop that can be as late as if it had been busy: its clock jumps between two turns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class _JumpingLoop(asyncio.SelectorEventLoop):
    jumped = 0.0

    def time(self) -> float:
        return super().time() + self.jumped


def run_jumping(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        runner.run(work)


def jump(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _JumpingLoop)
    loop.jumped += seconds
