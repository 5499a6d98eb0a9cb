"""A busy event loop is told from a slow server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from service.cache.patience import Patience, patiently
from tests.support.jumping import jump, run_jumping


async def by_scope(operation: Awaitable[Any], seconds: float) -> Any:
    async with Patience(seconds):
        return await operation


Wait = Callable[[Awaitable[Any], float], Awaitable[Any]]
both = pytest.mark.parametrize("wait", [by_scope, patiently])


@both
def test_in_a_calm_loop_it_is_a_timeout_like_any_other(wait: Wait):
    async def work() -> None:
        with pytest.raises(TimeoutError):
            await wait(asyncio.Event().wait(), 0.001)

    run_jumping(work())


@both
def test_a_reply_that_waited_in_the_socket_while_the_loop_was_busy_is_still_taken(wait: Wait):
    async def work() -> None:
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        loop.call_soon(jump, 1.0)  # the loop was busy for a second; the reply is read in the turn after
        loop.call_soon(lambda: loop.call_later(0.001, reply.set_result, "in time"))
        assert await wait(reply, 0.2) == "in time"

    run_jumping(work())


@both
def test_a_loop_that_stays_busy_does_not_wait_forever(wait: Wait):
    async def work() -> None:
        loop = asyncio.get_running_loop()

        def stay_busy() -> None:
            jump(1.0)
            loop.call_soon(stay_busy)

        stay_busy()
        with pytest.raises(TimeoutError):
            await wait(asyncio.Event().wait(), 0.2)

    run_jumping(work())


@both
def test_what_fails_inside_fails_as_itself_and_what_is_cancelled_is_cancelled(wait: Wait):
    async def work() -> None:
        async def fail() -> None:
            raise ValueError("mine")

        with pytest.raises(ValueError, match="mine"):
            await wait(fail(), 1.0)
        inner = asyncio.create_task(asyncio.Event().wait())
        outer = asyncio.ensure_future(wait(inner, 1.0))
        await asyncio.sleep(0)
        outer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await outer
        assert inner.cancelled()

    run_jumping(work())


def test_who_is_cancelled_in_the_turn_in_which_the_time_is_over_is_cancelled():
    """
    timer:   expires, cancels what is waited for
    other:                                       cancels who waits
    waiter:                                                         must not take that for the timer's
    """

    async def work() -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiter = asyncio.ensure_future(patiently(future, 0.001))
        future.add_done_callback(lambda _: waiter.cancel())
        await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await waiter

    run_jumping(work())
