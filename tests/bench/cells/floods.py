"""Hits of one client while another floods: with reads of what never was, and beyond the rate that a client may send.

Windows of calm and of flood take turns, and each ratio is made of two neighbours, the calm one first in every other
pair. A flood begins with its window: what its client had saved until then is part of what it does to the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import uvloop

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.contestants import ABSENT, BEYOND, RATIO
from tests.bench.figures import Found
from tests.bench.pacing import Read, steady_reads
from tests.bench.plan import Plan
from tests.bench.ratios import percentile
from tests.bench.wrk import Shape, loading
from tests.support.keys import make_key
from tests.support.scraping import Scrape

RATE, BURST = 1_000, 500
"""What one client may send in the second flood: more than the hits that are timed."""
PAUSE_SECONDS = 0.15
"""After each window: until the flood's last requests are answered."""
_PATH = "/v1/entities/item/1"
_NEVER = 100_000_000
"""More ids than all floods together ask for."""
_ASKED_AT_ONCE = 1_000_000


class Flood(NamedTuple):
    """``did`` are counters of the service, by what is said of them: per second of flood."""

    name: str
    environment: Mapping[str, str]
    shape: Shape
    did: Mapping[str, str]


def floods(plan: Plan) -> tuple[Flood, Flood]:
    absent = Shape(head="/v1/entities/item/never-", choice="sequence", keys=_NEVER, connections=plan.flood_connections)
    rate = {
        "ASIDE_ACCESS__REQUIRED": "true", "ASIDE_LIMITS__REQUESTS_PER_SECOND": str(RATE),
        "ASIDE_LIMITS__BURST": str(BURST),
    }  # fmt: skip
    warm = Shape(head="/v1/entities/item/", keys=plan.keys, connections=plan.flood_connections)
    return (
        Flood(ABSENT, {}, absent, {"loads": "aside_db_load_batch_size_sum", "refusals": "aside_shed_total"}),
        Flood(BEYOND, rate, warm, {"requests": "aside_http_requests_total", "refusals": "aside_rate_limited_total"}),
    )


def measure(bench: Bench) -> Found:
    """A process of its own for each flood. The timed client and the flooding one have a key each, where keys count."""
    plan, found = bench.plan, Found()
    timed, flooding = (
        f"Bearer {make_key(bench.stage.postgres.url, name, 'read:*', 'observe:*').text}" for name in ("timed", "flood")
    )
    for number, flood in enumerate(floods(plan)):
        with bench.stage.aside(f"flood-{number}", **flood.environment) as replica:
            both = _Both(bench, replica.url, flood, timed, flooding)
            both.window(is_flooded=False)  # what is read is cached from now on
            for pair in range(plan.rounds * plan.flood_pairs):
                both.pair(pair, found)
                bench.passed(_seconds(plan))
    found.facts = {
        "rate": plan.flood_hits_per_second, "seconds": plan.flood_seconds, "connections": plan.flood_connections,
        "allowed": RATE, "burst": BURST,
    }  # fmt: skip
    return found


class _Both:
    """The two clients of one service."""

    def __init__(self, bench: Bench, url: str, flood: Flood, timed: str, flooding: str) -> None:
        self._bench = bench
        self._url = url
        self._flood = flood
        self._timed = timed
        self._flooding = flooding
        self._place = 0

    def pair(self, number: int, found: Found) -> None:
        """One window of each kind, beside each other."""
        reads: dict[bool, list[Read]] = {}
        did: dict[str, float] = {}
        for is_flooded in (True, False) if number % 2 else (False, True):
            before = self._counted()
            reads[is_flooded] = self.window(is_flooded=is_flooded)
            if is_flooded:
                since = self._counted().since(before)
                did = {what: since.total_of(counter) for what, counter in self._flood.did.items()}
        calm, beside = (1000 * percentile([read.seconds for read in reads[kind]], 0.99) for kind in (False, True))
        figures = {
            "p99 in calm, ms": calm, "p99 beside, ms": beside, RATIO: beside / calm,
            "timed reads that were refused": float(sum(read.status != 200 for kind in reads.values() for read in kind)),
            **{f"{what} per second of flood": count / self._bench.plan.flood_seconds for what, count in did.items()},
        }  # fmt: skip
        for name, value in figures.items():
            found.figures.setdefault(f"{self._flood.name}: {name}", []).append(value)

    def window(self, *, is_flooded: bool) -> list[Read]:
        plan = self._bench.plan
        with self._flooded() if is_flooded else _calm(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            reads = runner.run(
                steady_reads(
                    self._url, _PATH, rate=plan.flood_hits_per_second, seconds=plan.flood_seconds,
                    authorization=self._timed,
                )
            )  # fmt: skip
        time.sleep(PAUSE_SECONDS)
        return reads

    @contextmanager
    def _flooded(self) -> Iterator[None]:
        self._place += _ASKED_AT_ONCE
        shape = self._flood.shape.moved(self._place).sent_as(self._flooding)
        with loading(self._url, shape, folder=self._bench.stage.folder):
            yield

    def _counted(self) -> Scrape:
        return self._bench.scraped(self._url, authorization=self._timed)


@contextmanager
def _calm() -> Iterator[None]:
    yield


def _seconds(plan: Plan) -> float:
    """Of one pair."""
    return 2 * (plan.flood_seconds + PAUSE_SECONDS) + 0.3


CELLS = (
    Cell("floods", "hits of one client while another floods", measure,
         lambda plan: 2 * plan.rounds * plan.flood_pairs * _seconds(plan)),
)  # fmt: skip
