"""The ways of steering that are compared with calm: what each does in every one of its windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

from tests.steer.plan import PARTS, Plan
from tests.steer.stage import EVERY, prefix_of
from tests.steer.steering import Steering

Work = Callable[[], int]

DEFAULT, COMMAND_AT_RATE, COMMAND = "job", "command-rate", "command"
PURGE_PREFIX, PURGE_TYPE = "purge-prefix", "purge-type"
_ROWS_PER_SECOND = 20_000
_KEYS_PER_SECOND = 25_000
"""Guesses, for the progress bar."""


class Way(NamedTuple):
    """``windows``: what is to be done in each of them. ``seconds``: what all of it takes, about.

    ``is_timed_once``: a window lasts as long as the work does, and what counts is the slowest hit in it.
    """

    name: str
    title: str
    windows: Callable[[Steering], Iterator[Work]]
    seconds: float
    is_timed_once: bool = False


def ways_of(plan: Plan) -> list[Way]:
    in_turn = plan.windows * 2 * plan.window_seconds
    walk = plan.purges * (plan.rows / _ROWS_PER_SECOND + 2 * plan.rows / _KEYS_PER_SECOND)
    return [
        Way(
            DEFAULT,
            "all rows by one job, at the default rate",
            partial(_all_by_one_job, plan),
            plan.rows / plan.rate + plan.job_windows * plan.window_seconds,
        ),
        *[
            Way(f"job-{rate:g}", f"jobs at {rate:,.0f} rows/s", partial(_by_jobs, plan, rate), in_turn)
            for rate in plan.rates
        ],
        Way(COMMAND_AT_RATE, f"`aside warm --rate {plan.rate:g}`", partial(_by_command, plan, plan.rate), in_turn),
        Way(COMMAND, "`aside warm`, as fast as it goes", partial(_by_fast_command, plan), in_turn),
        Way(
            PURGE_PREFIX, "a purge of all keys by their prefix", partial(_purges, plan, EVERY), walk, is_timed_once=True
        ),
        Way(PURGE_TYPE, "a purge of the type", partial(_purges, plan, ""), walk, is_timed_once=True),
    ]


def _all_by_one_job(plan: Plan, steering: Steering) -> Iterator[Work]:
    """The process that warms stands still while it is calm. That a job begins and ends is no part of this."""
    steering.purge()
    with steering.one_warming() as warming:
        for _ in range(plan.job_windows):
            if warming.is_done():
                break
            yield partial(warming.go_on_for, plan.window_seconds)
        yield warming.go_on_to_its_end


def _by_jobs(plan: Plan, rate: float, steering: Steering) -> Iterator[Work]:
    for prefixes in islice(_again_and_again(steering, plan.parts_in_a_window(rate)), plan.windows):
        yield partial(steering.warm_by_jobs, prefixes, rate=rate)


def _by_command(plan: Plan, rate: float, steering: Steering) -> Iterator[Work]:
    for [prefix] in islice(_again_and_again(steering, 1), plan.windows):
        yield partial(steering.warm_by_command, prefix, rate=rate)


def _by_fast_command(plan: Plan, steering: Steering) -> Iterator[Work]:
    for prefix in islice(_again_and_again(steering, PARTS // 10), plan.windows):
        yield partial(steering.warm_by_command, prefix[0][:-2])


def _purges(plan: Plan, prefix: str, steering: Steering) -> Iterator[Work]:
    for _ in range(plan.purges):
        steering.warm_by_command()
        yield partial(steering.purge, prefix)


def _again_and_again(steering: Steering, size: int) -> Iterator[list[str]]:
    while True:
        yield from _once_through(steering, size)


def _once_through(steering: Steering, size: int) -> Iterator[list[str]]:
    """The prefixes of all parts, ``size`` at a time; none of them is cached."""
    steering.purge()
    for at in range(0, PARTS, size):
        yield [prefix_of(part) for part in range(at, min(at + size, PARTS))]
