"""Warming of a whole table, and hits among all of it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench import command
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import ASIDE, CEILING, WEBDIS
from tests.bench.figures import Found, Load
from tests.bench.plan import Plan
from tests.bench.stage import Target
from tests.bench.wrk import Shape

ROWS_PER_SECOND = 25_000
"""A guess, for the progress bar."""
LONGEST_SECONDS = 600.0
FEW, ALL = "1,000 keys", "all keys"


def warm(bench: Bench) -> Found:
    """`aside warm` on the core of the server, which is idle, each time into an empty cache."""
    found = Found(facts={"rows": bench.plan.rows})
    for _ in range(bench.plan.warmings):
        bench.empty_cache()
        try:
            said = _warm_up(bench)
        except command.NoSuchCommandError as missing:
            found.left_out[ASIDE] = str(missing)
            return found
        for name, value in {"rows": said["rows"], "seconds": said["seconds"]}.items():
            found.figures.setdefault(name, []).append(value)
        found.figures.setdefault("rows per second", []).append(said["rows"] / said["seconds"])
        bench.passed(bench.plan.rows / ROWS_PER_SECOND)
    return found


def _warm_up(bench: Bench) -> dict[str, float]:
    return command.run(
        "warm", "--type", "item", "--json", environment=bench.stage.addresses, cores=bench.stage.cores.server,
        timeout_seconds=LONGEST_SECONDS,
    )  # fmt: skip


def _fill(bench: Bench, names: Sequence[str], count: int) -> None:
    """By `aside warm` where it would take long otherwise. All that are then asked for are there."""
    if ASIDE in names and count >= bench.plan.rows and command.has("warm"):
        bench.empty_cache()
        _warm_up(bench)
        names = [name for name in names if name != ASIDE]
    bench.fill(names, "item", count)


def many(bench: Bench) -> Found:
    names, count = (ASIDE, CEILING, WEBDIS), bench.plan.many_keys
    _fill(bench, names, count)
    return bench.compare(names, lambda target, number: _shape(bench, target, number, count))


def most(bench: Bench) -> Found:
    """Aside among all of its keys and among 1,000 of the same, in turn."""
    _fill(bench, (ASIDE,), bench.plan.rows)
    target, found = bench.stage.targets[ASIDE], Found(facts={"keys": bench.plan.rows})
    counts = {FEW: bench.plan.keys, ALL: bench.plan.rows}
    for number in range(bench.plan.rounds):
        for name in (*counts,) if number % 2 else (*reversed(counts),):
            load: Load = bench.load(target, _shape(bench, target, number, counts[name]))
            found.loads.setdefault(name, []).append(load)
            bench.passed(bench.plan.load_seconds)
    return found


def _shape(bench: Bench, target: Target, number: int, count: int) -> Shape:
    return Shape(
        head=target.head.format("item"), tail=target.tail, keys=count, place=number, connections=bench.plan.connections
    )


def _warming_seconds(plan: Plan) -> float:
    return plan.warmings * plan.rows / ROWS_PER_SECOND


CELLS = (
    Cell("warming", "`aside warm` of all rows", warm, _warming_seconds),
    Cell("warm-100k", "hits, 100,000 keys", many, loads(3)),
    Cell("warm-1m", "hits among all rows beside hits among 1,000", most, loads(2)),
)
