"""A busy event loop is told from a slow server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from service.cache.patience import Patience


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop that can be as late as if it had been busy: its clock jumps between two turns."""

    jumped = 0.0

    def time(self) -> float:
        return super().time() + self.jumped


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(work)


def jump(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.jumped += seconds


def test_in_a_calm_loop_it_is_a_timeout_like_any_other():
    async def work() -> None:
        with pytest.raises(TimeoutError):
            async with Patience(0.001):
                await asyncio.Event().wait()

    run(work())


def test_a_reply_that_waited_in_the_socket_while_the_loop_was_busy_is_still_taken():
    async def work() -> None:
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        async with Patience(0.2):
            jump(1.0)  # the loop was busy for a second; the reply is read in the turn after
            asyncio.get_running_loop().call_later(0.001, reply.set_result, "in time")
            assert await reply == "in time"

    run(work())


def test_a_loop_that_stays_busy_does_not_wait_forever():
    async def work() -> None:
        loop = asyncio.get_running_loop()

        def stay_busy() -> None:
            jump(1.0)
            loop.call_soon(stay_busy)

        stay_busy()
        with pytest.raises(TimeoutError):
            async with Patience(0.2):
                await asyncio.Event().wait()

    run(work())


def test_what_fails_inside_fails_as_itself_and_what_is_cancelled_is_cancelled():
    async def work() -> None:
        with pytest.raises(ValueError, match="mine"):
            async with Patience(1.0):
                raise ValueError("mine")

        async def wait() -> None:
            async with Patience(1.0):
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
