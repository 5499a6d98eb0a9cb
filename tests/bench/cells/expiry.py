"""A hot key through its expiry: is anybody made to wait while its entry is renewed?"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

import uvloop
from redis.asyncio import Redis

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.figures import Found
from tests.bench.pacing import Read, steady_reads
from tests.bench.plan import Plan
from tests.bench.ratios import percentile

TYPE = "hot"
BIN_SECONDS = 0.05
LOOK_SECONDS = 0.005
_HEADER_BYTES = 200


class Split(NamedTuple):
    """Latencies in seconds, by window. All windows are of the same length."""

    around: list[list[float]]
    calm: list[list[float]]


def split(reads: Iterable[Read], renewals: Sequence[float], *, window: float) -> Split:
    """Reads within ``window`` seconds of each renewal, and those that are twice as far from all.

    What is between is left out: whether it was disturbed nobody can say.
    """
    around: dict[float, list[float]] = {}
    calm: dict[float, list[float]] = {}
    for read in reads:
        nearest = min(renewals, key=lambda at: abs(read.at - at), default=float("inf"))
        distance = abs(read.at - nearest)
        if distance <= window:
            around.setdefault(nearest, []).append(read.seconds)
        elif distance > 2 * window:
            calm.setdefault(read.at // (2 * window), []).append(read.seconds)
    return Split(_whole(around.values()), _whole(calm.values()))


def _whole(windows: Iterable[list[float]]) -> list[list[float]]:
    """Without those that were cut off."""
    windows = list(windows)
    most = max(map(len, windows), default=0)
    return [window for window in windows if len(window) >= most / 2]


def typical_p99(windows: Iterable[Sequence[float]]) -> float:
    """In seconds: the median of the p99 of the windows. What expiry does, it does in each of them; a machine that does
    other work for a moment spoils one. Raises StatisticsError where there are none.
    """
    return median(percentile(window, 0.99) for window in windows)


def time_line(reads: Sequence[Read], since: float) -> list[tuple[float, float]]:
    """Seconds, and the p99 in ms of the reads in each bin."""
    bins: dict[int, list[float]] = {}
    for read in reads:
        bins.setdefault(int((read.at - since) / BIN_SECONDS), []).append(read.seconds)
    return [(number * BIN_SECONDS, percentile(found, 0.99) * 1000) for number, found in sorted(bins.items())]


def measure(bench: Bench) -> Found:
    """A process of its own with a short lifetime for the key; all else as by default."""
    plan, found = bench.plan, Found()
    policies = {TYPE: {"ttl_seconds": plan.hot_ttl_seconds, "jitter": 0.0}}
    with bench.stage.aside("expiry", ASIDE_POLICIES=json.dumps(policies)) as replica:
        for number in range(plan.rounds):
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_round(bench, replica.url, number, found))
            bench.passed(_seconds(plan))
    found.facts |= {"ttl_seconds": plan.hot_ttl_seconds, "rate": plan.hot_rate, "window_seconds": _window(plan)}
    return found


async def _round(bench: Bench, url: str, number: int, found: Found) -> None:
    plan, renewals, path = bench.plan, [], f"/v1/entities/{TYPE}/1"
    await steady_reads(url, path, rate=100, seconds=0.1)  # the first load is no renewal
    ended = asyncio.Event()
    watching = asyncio.create_task(_watch(bench.stage.valkey.url, renewals, ended))
    since = time.monotonic()
    try:
        reads = await steady_reads(url, path, rate=plan.hot_rate, seconds=_seconds(plan))
    finally:
        ended.set()
        await watching
    assert all(read.status == 200 for read in reads), f"{path}: not every answer is 200"
    parts = split(reads, renewals, window=_window(plan))
    around, calm = typical_p99(parts.around) * 1000, typical_p99(parts.calm) * 1000
    figures = {
        "p99 around, ms": around, "p99 in calm, ms": calm, "p99 around ÷ in calm": around / calm,
        "renewals": float(len(renewals)), "reads": float(len(reads)),
        "reads that were no hits": float(sum(not read.is_hit for read in reads)),
    }  # fmt: skip
    for name, value in figures.items():
        found.figures.setdefault(name, []).append(value)
    if number == 0:
        found.facts = {"time_line": time_line(reads, since), "renewals": [at - since for at in renewals]}


async def _watch(redis_url: str, renewals: list[float], ended: asyncio.Event) -> None:
    """Notes when the entry is another one than before. Told to end, and not cancelled: a client library between two
    attempts may take a cancellation for one more failure.
    """
    async with Redis.from_url(redis_url) as redis:
        last = None
        while not ended.is_set():
            header = await redis.getrange(f"cache:{TYPE}:1", 0, _HEADER_BYTES)
            if header.startswith(b"V") and header != last:
                if last is not None:
                    renewals.append(time.monotonic())
                last = header
            await asyncio.sleep(LOOK_SECONDS)


def _window(plan: Plan) -> float:
    return min(0.25, plan.hot_ttl_seconds / 8)


def _seconds(plan: Plan) -> float:
    return plan.hot_ttl_seconds * plan.expiries


CELLS = (
    Cell("expiry", "one hot key through its expiry", measure, lambda plan: plan.rounds * _seconds(plan)),
)  # fmt: skip
