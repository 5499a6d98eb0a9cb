"""A cell: one thing that is measured, for everybody for whom it makes sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.bench.bench import Bench
from tests.bench.figures import Found
from tests.bench.plan import Plan


class Cell(NamedTuple):
    """``seconds`` is what it takes, about: for the progress bar. It tells `Bench.passed` of as many."""

    name: str
    title: str
    measure: Callable[[Bench], Found]
    seconds: Callable[[Plan], float]


def loads(count: int) -> Callable[[Plan], float]:
    """The time of so many targets, each loaded once in each round."""
    return lambda plan: count * plan.rounds * plan.load_seconds
