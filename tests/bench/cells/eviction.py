"""A cache that is too small for what is read: what allkeys-lru keeps of it, and what allkeys-lfu, when somebody sweeps.

Most reads follow Zipf's law. Now and then every key of a range is read once that nobody reads again, as by an export, a
crawler, a report at night. Both policies get the very same reads, in the same order, through a real Aside.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from statistics import fmean
from typing import NamedTuple

import uvloop

from service.embedded.valkey import DEFAULTS
from tests.bench.asking import CONNECTIONS, Connection, ask_all
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.contestants import ASIDE
from tests.bench.figures import Found
from tests.bench.plan import BODY_BYTES, Plan
from tests.bench.stage import VALKEY
from tests.support.valkey_commands import command

POLICIES = ("allkeys-lru", "allkeys-lfu")
BIN = 1_000
"""Reads in a point of the picture; and how many after a sweep are told apart."""
READS_PER_SECOND = 4_000
"""A guess, for the progress bar."""
_HEAD = "/v1/entities/item/"
_USED = re.compile(r"^used_memory:(\d+)", re.MULTILINE)
_EVICTED = re.compile(r"^evicted_keys:(\d+)", re.MULTILINE)


class Step(NamedTuple):
    """Keys that are read one after the other, by Zipf's law or in a sweep."""

    keys: Sequence[int]
    is_sweep: bool


def steps(plan: Plan) -> list[Step]:
    """Reads until the cache is as full as it gets; then, again and again, a sweep and reads. The same in each run."""
    chance, count = random.Random(1), plan.eviction_keys
    keys = list(range(1, count + 1))
    chance.shuffle(keys)  # neighbours in popularity are no neighbours in storage
    weights = list(accumulate(1 / rank for rank in range(1, count + 1)))
    found = [Step(chance.choices(keys, cum_weights=weights, k=count), is_sweep=False)]
    for number in range(plan.eviction_sweeps):
        first = count + 1 + number * plan.eviction_holds
        found.append(Step(range(first, first + plan.eviction_holds), is_sweep=True))
        found.append(Step(chance.choices(keys, cum_weights=weights, k=plan.eviction_reads), is_sweep=False))
    return found


def best_ratio(plan: Plan) -> float:
    """The share of the reads that would be hits if exactly the most popular keys were held, all the time."""
    weights = [1 / rank for rank in range(1, plan.eviction_keys + 1)]
    return sum(weights[: plan.eviction_holds]) / sum(weights)


Reads = list[tuple[bool, list[bool]]]
"""Of each step after the first: whether it was a sweep, and which reads were hits."""


def measure(bench: Bench) -> Found:
    plan, found = bench.plan, Found()
    limit = _bytes_of(bench, plan.eviction_holds)
    lines: dict[str, list[tuple[int, float]]] = {}
    for number in range(plan.eviction_rounds):
        for policy in POLICIES if number % 2 == 0 else reversed(POLICIES):
            with _limited(bench, policy, limit):
                before = _said(bench, _EVICTED)
                reads = _read_all(bench.stage.targets[ASIDE].url, steps(plan))
                evicted = _said(bench, _EVICTED) - before
            lines.setdefault(policy, time_line(reads))
            for name, value in {**figures_of(reads), "keys evicted": float(evicted)}.items():
                found.figures.setdefault(f"{policy}: {name}", []).append(value)
            bench.passed(_seconds(plan) / len(POLICIES))
    found.facts = {
        "keys": plan.eviction_keys, "holds": plan.eviction_holds, "reads": plan.eviction_reads,
        "sweeps": plan.eviction_sweeps, "best": best_ratio(plan), "limit_mib": limit / 2**20, "after": BIN,
        "time_lines": lines,
    }  # fmt: skip
    return found


def figures_of(reads: Reads) -> dict[str, float]:
    """Of the reads by Zipf's law: all of them, and those right after a sweep."""
    ordinary = [hits for is_sweep, hits in reads if not is_sweep]
    return {
        "hit ratio": fmean(hit for hits in ordinary for hit in hits),
        f"hit ratio of the {BIN:,} reads after a sweep": fmean(hit for hits in ordinary for hit in hits[:BIN]),
    }


def time_line(reads: Reads) -> list[tuple[int, float]]:
    """How many ordinary reads there were before, and the hit ratio of the next `BIN`."""
    hits = [hit for is_sweep, hits in reads if not is_sweep for hit in hits]
    return [(at, fmean(hits[at : at + BIN])) for at in range(0, len(hits), BIN)]


def _bytes_of(bench: Bench, keys: int) -> int:
    """What the server uses when it holds so many: its limit, for both policies."""
    bench.empty_cache()
    ask_all(bench.stage.targets[ASIDE].url, _HEAD, iter(range(1, keys + 1)), body_bytes=BODY_BYTES["item"])
    return _said(bench, _USED)


@contextmanager
def _limited(bench: Bench, policy: str, limit: int) -> Iterator[None]:
    """Inside, the cache begins empty, and has so many bytes."""
    url = bench.stage.valkey.url
    bench.empty_cache()
    command(url, "CONFIG", "SET", "maxmemory", str(limit), "maxmemory-policy", policy)
    try:
        yield
    finally:
        command(
            url, "CONFIG", "SET", "maxmemory", VALKEY["maxmemory"], "maxmemory-policy", DEFAULTS["maxmemory-policy"]
        )
        bench.empty_cache()


def _said(bench: Bench, what: re.Pattern[str]) -> int:
    found = what.search(command(bench.stage.valkey.url, "INFO") or "")
    assert found is not None, "the server does not say it"
    return int(found[1])


def _read_all(url: str, wanted: Sequence[Step]) -> Reads:
    """All steps, one after the other."""

    async def run() -> Reads:
        connections = [await Connection.open(url) for _ in range(CONNECTIONS)]
        try:
            return [(step.is_sweep, await _read(connections, step.keys)) for step in wanted][1:]
        finally:
            for connection in connections:
                connection.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


async def _read(connections: Sequence[Connection], keys: Sequence[int]) -> list[bool]:
    """Whether each of them was a hit, in order. Raises AssertionError for an answer that is not 200."""
    places, hits = iter(range(len(keys))), [False] * len(keys)

    async def on(connection: Connection) -> None:
        for place in places:
            answer = await connection.get(f"{_HEAD}{keys[place]}")
            assert answer.status == 200, f"{_HEAD}{keys[place]}: {answer.status}"
            hits[place] = "; hit" in answer.headers["cache-status"]

    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(on(connection))
    return hits


def _seconds(plan: Plan) -> float:
    """Of one round."""
    return len(POLICIES) * sum(len(step.keys) for step in steps(plan)) / READS_PER_SECOND


def _seconds_of_all(plan: Plan) -> float:
    return plan.eviction_rounds * _seconds(plan)


CELLS = (Cell("eviction", "a cache that is too small, and is swept", measure, _seconds_of_all),)
