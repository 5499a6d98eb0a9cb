"""Hits of clients that show a key: beside the ceiling, and beside hits of clients that nobody asks for one."""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import ASIDE, ASKS_FOR_KEYS, CEILING, KEYED, LIMITED
from tests.bench.figures import Found
from tests.bench.ratios import known, ratios
from tests.bench.stage import Target
from tests.bench.wrk import Shape
from tests.support.keys import make_key

NAMES = (ASIDE, CEILING, KEYED, LIMITED)
RATE = 1_000_000
"""Requests per second that a client may send: more than any does, so that all is counted and nothing refused."""
_ENVIRONMENTS = {KEYED: ASKS_FOR_KEYS, LIMITED: {**ASKS_FOR_KEYS, "ASIDE_LIMITS__REQUESTS_PER_SECOND": str(RATE)}}


def measure(bench: Bench) -> Found:
    """Processes of their own, with all else as by default. Ceiling and the open service are sent no key."""
    key = make_key(bench.stage.postgres.url, "bench", "read:*", "observe:*")
    bench.fill((ASIDE,), "item", bench.plan.keys)

    def shape_of(target: Target, number: int) -> Shape:
        return Shape(
            head=target.head.format("item"), keys=bench.plan.keys, place=number, connections=bench.plan.connections,
            authorization=target.authorization,
        )  # fmt: skip

    with ExitStack() as stack:
        for number, (name, environment) in enumerate(_ENVIRONMENTS.items()):
            process = stack.enter_context(bench.stage.aside(f"keys-{number}", **environment))
            target = Target(name, process.url, process.pid, authorization=f"Bearer {key.text}", counts=True)
            stack.enter_context(bench.stage.joined_by(target))
        found = bench.compare(NAMES, shape_of)
    found.facts = {"rate": RATE}
    for name in _ENVIRONMENTS:
        beside = f"{name} ÷ {ASIDE}"
        found.figures[f"{beside}: hits per second"] = known(ratios(found.rates(name), found.rates(ASIDE)))
        found.figures[f"{beside}: CPU of a hit"] = known(ratios(found.cpus(name), found.cpus(ASIDE)))
    return found


CELLS = (Cell("keys", "hits with a key in each request: 64 connections, 250 B", measure, loads(len(NAMES))),)
