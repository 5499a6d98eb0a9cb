"""Hits of one client while another floods: with reads of what never was, and beyond the rate that a client may send.

Windows of calm and of flood take turns, and each ratio is made of two neighbours, the calm one first in every other
pair. A flood begins before its window, with what its client had saved until then: that is timed, and told apart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import uvloop

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.contestants import ABSENT, ASKS_FOR_KEYS, BEYOND, RATIO
from tests.bench.figures import Found
from tests.bench.pacing import Read, steady_reads
from tests.bench.plan import Plan
from tests.bench.ratios import percentile
from tests.bench.wrk import Shape, loading
from tests.support.keys import make_key
from tests.support.scraping import Scrape

RATE_SHARE, BURST_SHARE = 2.5, 1.25
"""What one client may send in the second flood, as shares of the hits per second that are timed: those are allowed."""
PAUSE_SECONDS = 0.15
"""After a flood: until its last requests are answered."""
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
        **ASKS_FOR_KEYS,
        "ASIDE_LIMITS__REQUESTS_PER_SECOND": f"{plan.flood_hits_per_second * RATE_SHARE:g}",
        "ASIDE_LIMITS__BURST": f"{plan.flood_hits_per_second * BURST_SHARE:g}",
    }  # fmt: skip
    warm = Shape(head="/v1/entities/item/", keys=plan.keys, connections=plan.flood_connections)
    beyond = {"hits, the timed ones among them,": "aside_cache_requests_total", "refusals": "aside_rate_limited_total"}
    return (
        Flood(ABSENT, {}, absent, {"loads": "aside_db_load_batch_size_sum", "refusals": "aside_shed_total"}),
        Flood(BEYOND, rate, warm, beyond),
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
            both.window()  # what is read is cached from now on
            for pair in range(plan.rounds * plan.flood_pairs):
                both.pair(pair, found)
                bench.passed(_seconds(plan))
    found.facts = {
        "rate": plan.flood_hits_per_second, "seconds": plan.flood_seconds, "begins": plan.flood_begins_seconds,
        "connections": plan.flood_connections, "allowed": plan.flood_hits_per_second * RATE_SHARE,
        "burst": plan.flood_hits_per_second * BURST_SHARE,
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
        calm: list[Read] = []
        flooded: list[Read] = []
        did: dict[str, float] = {}
        for is_flooded in (True, False) if number % 2 else (False, True):
            if not is_flooded:
                calm = self.window()
                continue
            before = self._counted()
            flooded = self.flooded_window()
            since = self._counted().since(before)
            did = {what: since.total_of(counter) for what, counter in self._flood.did.items()}
        figures = {
            **in_figures(calm, flooded, begins_seconds=self._bench.plan.flood_begins_seconds),
            **{f"{what} per second of flood": count / _flood_seconds(self._bench.plan) for what, count in did.items()},
        }
        for name, value in figures.items():
            found.figures.setdefault(f"{self._flood.name}: {name}", []).append(value)

    def window(self) -> list[Read]:
        return self._reads(self._bench.plan.flood_seconds)

    def flooded_window(self) -> list[Read]:
        """With the beginning of the flood."""
        self._place += _ASKED_AT_ONCE
        shape = self._flood.shape.moved(self._place).sent_as(self._flooding)
        with loading(self._url, shape, folder=self._bench.stage.folder):
            reads = self._reads(_flood_seconds(self._bench.plan))
        time.sleep(PAUSE_SECONDS)
        return reads

    def _reads(self, seconds: float) -> list[Read]:
        rate = self._bench.plan.flood_hits_per_second
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(steady_reads(self._url, _PATH, rate=rate, seconds=seconds, authorization=self._timed))

    def _counted(self) -> Scrape:
        return self._bench.scraped(self._url, authorization=self._timed)


def in_figures(calm: Sequence[Read], flooded: Sequence[Read], *, begins_seconds: float) -> dict[str, float]:
    """The p99 of a window of each kind, and of the beginning of the flood, so many seconds."""
    lasting_from = min(read.at for read in flooded) + begins_seconds
    beginning = [read for read in flooded if read.at < lasting_from]
    lasting = [read for read in flooded if read.at >= lasting_from]
    in_calm, at_first, beside = (
        1000 * percentile([read.seconds for read in reads], 0.99) for reads in (calm, beginning, lasting)
    )
    return {
        "p99 in calm, ms": in_calm,
        "p99 beside, ms": beside,
        RATIO: beside / in_calm,
        "p99 while it begins ÷ in calm": at_first / in_calm,
        "timed reads that were refused": float(sum(read.status != 200 for read in (*calm, *flooded))),
    }


def _flood_seconds(plan: Plan) -> float:
    return plan.flood_begins_seconds + plan.flood_seconds


def _seconds(plan: Plan) -> float:
    """Of one pair."""
    return plan.flood_seconds + _flood_seconds(plan) + PAUSE_SECONDS + 0.3


CELLS = (
    Cell("floods", "hits of one client while another floods", measure,
         lambda plan: 2 * plan.rounds * plan.flood_pairs * _seconds(plan)),
)  # fmt: skip
