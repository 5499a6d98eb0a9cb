"""Waits of callbacks end in time, and only once; a busy event loop is told from a slow server."""

from __future__ import annotations

import asyncio
from typing import Any

from service.cache.rounds import Rounds
from tests.support.jumping import jump, run_jumping
from tests.support.polling import turns
from tests.support.waiting import eventually

Told = list[tuple[Any, BaseException | None]]


class LateError(Exception):
    pass


def teller(told: Told) -> Any:
    return lambda value, error: told.append((value, error))


async def test_what_comes_in_time_is_passed_on_and_nothing_is_watched_any_more():
    rounds, told = Rounds(), []
    rounds.bound(teller(told), 60, LateError)("a value", None)
    assert (told, len(rounds)) == ([("a value", None)], 0)


async def test_who_waited_too_long_is_told_once_and_what_comes_later_is_nobodys():
    rounds, told = Rounds(), []
    late = rounds.bound(teller(told), 0.001, LateError)
    patient = rounds.bound(teller([]), 60, LateError)
    await eventually(lambda: told)
    late("a value, too late", None)
    [(value, error)] = told
    assert (value, type(error)) == (None, LateError)
    patient("a value", None)
    assert not len(rounds)


async def test_an_error_is_passed_on_as_well():
    rounds, told, error = Rounds(), [], OSError()
    rounds.bound(teller(told), 60, LateError)(None, error)
    assert told == [(None, error)]


async def test_one_that_fails_when_it_is_told_takes_nothing_from_the_others():
    rounds, told, failures = Rounds(), [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def fail(*_: Any) -> None:
        raise ValueError("a defect")

    rounds.bound(fail, 0.001, LateError)
    rounds.bound(teller(told), 0.001, LateError)
    await eventually(lambda: told)
    assert [type(failure) for failure in failures] == [ValueError]


async def test_who_comes_after_a_silence_is_watched_too():
    rounds, told = Rounds(), []
    for count in (1, 2):
        rounds.bound(teller(told), 0.001, LateError)
        await eventually(lambda count=count: len(told) == count)


def test_a_reply_that_waited_in_the_socket_while_the_loop_was_busy_is_still_taken():
    async def work() -> None:
        rounds, told, loop = Rounds(), [], asyncio.get_running_loop()
        reply = rounds.bound(teller(told), 0.2, LateError)
        loop.call_soon(jump, 1.0)  # the loop was busy for a second; the reply is read in the turn after
        loop.call_soon(lambda: loop.call_later(0.001, reply, "in time", None))
        await eventually(lambda: told)
        assert told == [("in time", None)]

    run_jumping(work())


def test_a_loop_that_is_always_busy_ends_a_wait_all_the_same():
    async def work() -> None:
        rounds, told = Rounds(), []
        rounds.bound(teller(told), 0.2, LateError)
        rounds_needed = 0
        while not told:
            rounds_needed += 1
            assert rounds_needed < 1_000
            jump(1.0)
            await turns(1)
        assert isinstance(told[0][1], LateError)

    run_jumping(work())
