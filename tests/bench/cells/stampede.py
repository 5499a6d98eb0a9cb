"""A crowd misses one key over three processes, all at the same moment: how often it is loaded."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.figures import Found
from tests.support.crowd import at_once
from tests.support.service_process import ServiceProcess

PROCESSES = 3
_SECONDS = 1.5


def measure(bench: Bench) -> Found:
    """The processes themselves count. All readers are connected, and heard, before any of them asks."""
    found = Found()
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(bench.stage.aside(f"stampede-{number}", is_pinned=False)) for number in range(PROCESSES)
        ]
        for number in range(1, max(5, bench.plan.rounds) + 1):
            _one(bench, replicas, str(number), found)
            bench.passed(_SECONDS)
    found.facts = {"readers": bench.plan.stampede_readers, "processes": PROCESSES}
    return found


def _one(bench: Bench, replicas: list[ServiceProcess], key: str, found: Found) -> None:
    urls = [replica.url for replica in replicas]
    before = bench.scraped(*urls)
    answers = asyncio.run(at_once(replicas, [key] * bench.plan.stampede_readers))
    after = bench.scraped(*urls).since(before)
    good = sum(answer.status == 200 for answer in answers)
    for name, value in {
        "keys loaded": after.total_of("aside_db_load_batch_size_sum"),
        "queries": after.total_of("aside_db_load_batch_size_count"),
        "good answers": float(good),
    }.items():
        found.figures.setdefault(name, []).append(value)


CELLS = (
    Cell("stampede", "1,000 concurrent misses of one key over 3 processes", measure,
         lambda plan: max(5, plan.rounds) * _SECONDS),
)  # fmt: skip
