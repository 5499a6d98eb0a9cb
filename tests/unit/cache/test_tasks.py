"""Work that outlives the request that began it."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.tasks import Tasks
from tests.support.polling import turns


async def test_work_goes_on_when_its_caller_is_cancelled():
    tasks, gate, done = Tasks(), asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(True)

    caller = asyncio.ensure_future(tasks.finish(work()))
    await turns()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await tasks.close(grace_seconds=1)
    assert done == [True]


async def test_the_caller_gets_the_value_or_the_error():
    tasks = Tasks()

    async def works() -> int:
        return 7

    async def fails() -> int:
        raise LookupError("no")

    assert await tasks.finish(works()) == 7
    with pytest.raises(LookupError):
        await tasks.finish(fails())


async def test_a_failure_that_nobody_waits_for_is_not_reported_by_asyncio():
    tasks, reports = Tasks(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reports.append(context))

    async def fails() -> None:
        raise LookupError("no")

    tasks.start(fails())
    await turns()
    await tasks.close(grace_seconds=1)
    assert reports == []


async def test_closing_waits_for_what_runs_but_not_longer_than_its_grace():
    tasks, ended = Tasks(), []

    async def never_ends() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = tasks.start(never_ends())
    await turns()
    await tasks.close(grace_seconds=0.001)
    assert task.cancelled()
    assert ended == [True]


async def test_closing_with_nothing_to_do_returns_at_once():
    await Tasks().close(grace_seconds=0)
