"""Misses: the cache is empty, and no key is asked for twice."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import LOADERS
from tests.bench.figures import Found, Load
from tests.bench.stage import Target
from tests.bench.wrk import Shape


def measure(bench: Bench) -> Found:
    """Everybody is asked for the same keys in the same order; each round, and each warm-up, has keys of its own."""
    rows, rounds = bench.plan.rows, bench.plan.rounds
    bench.empty_cache()

    def shape_of(target: Target, number: int) -> Shape:
        return Shape(
            head=target.head.format("item"), tail=target.tail, choice="sequence", keys=rows,
            place=number * rows // rounds, connections=bench.plan.connections,
        )  # fmt: skip

    def load(target: Target, shape: Shape) -> Load:
        return bench.load(target, shape, warmed_up_with=shape.moved(rows // rounds // 2))

    return bench.compare(LOADERS, shape_of, measure=load)


CELLS = (Cell("cold", "misses: 64 connections, 250 B, each key for the first time", measure, loads(len(LOADERS))),)
