"""Open loop: requests come at a fixed rate whether or not the server is ready, and wait from when they were due."""

from __future__ import annotations

from typing import Any

from tests.bench import command
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.contestants import ASIDE, READERS
from tests.bench.figures import Found
from tests.bench.plan import Plan
from tests.bench.stage import Target
from tests.bench.wrk import Shape

REACHABLE = 0.9
"""Nobody is asked for a larger share than this of what it reaches in the closed loop: it would only show a queue."""
_START_SECONDS = 1.0


def measure(bench: Bench) -> Found:
    """`aside bench`, on the core of the load."""
    found = Found()
    if not command.has("bench"):
        found.left_out["all"] = "`aside bench` is not there"
        return found
    bench.fill(READERS, "item", bench.plan.keys)
    reached = _reached(bench)
    points = found.facts.setdefault("points", [])
    for number in range(bench.plan.open_loop_rounds):
        for share in bench.plan.open_loop_shares:
            rate = reached[ASIDE] * share
            for target in bench.present(READERS):
                if target.name == ASIDE or rate <= REACHABLE * reached[target.name]:
                    points.append(
                        {"round": number, "share": share, "target": target.name, **_point(bench, target, rate)}
                    )
                    bench.passed(_seconds(bench.plan))
    return found


def _reached(bench: Bench) -> dict[str, float]:
    """Good answers per second in the closed loop, by target: of the cell `warm`, or of one load now."""
    warm = bench.found.get("warm", Found())
    reached = {}
    for target in bench.present(READERS):
        rate = warm.rate(target.name)
        shape = Shape(head=target.head.format("item"), tail=target.tail, connections=bench.plan.connections)
        reached[target.name] = rate.median if rate else bench.load(target, shape).per_second
    return reached


def _point(bench: Bench, target: Target, rate: float) -> dict[str, Any]:
    said = command.run(
        "bench", target.url, "--rate", f"{rate:.0f}", "--duration", f"{bench.plan.open_loop_seconds:g}",
        "--path", f"{target.head.format('item')}{{id}}{target.tail}", "--ids", f"1:{bench.plan.keys}",
        "--connections", str(bench.plan.connections), "--json",
        environment={}, cores=bench.stage.cores.others, timeout_seconds=bench.plan.open_loop_seconds + 30,
    )  # fmt: skip
    wanted = ("requests", "errors", "seconds", "throughput", "latency_ms", "late")
    return {"rate": rate, **{name: said[name] for name in wanted if name in said}}


def _seconds(plan: Plan) -> float:
    return plan.open_loop_seconds + _START_SECONDS


def _all_seconds(plan: Plan) -> float:
    """Aside, the ceiling and Webdis at each rate, the others at the lowest."""
    return plan.open_loop_rounds * (3 * len(plan.open_loop_shares) + len(READERS) - 3) * _seconds(plan)


CELLS = (Cell("open-loop", "latency at fixed rates, 64 connections, 250 B", measure, _all_seconds),)
