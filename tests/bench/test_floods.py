"""Which reads were made in calm, while a flood began, and while it lasted."""

from __future__ import annotations

import pytest

from tests.bench.cells.floods import floods, in_figures
from tests.bench.contestants import RATIO
from tests.bench.pacing import Read
from tests.bench.plan import Plan


def reads(*seconds: float, begin: float, every: float = 0.1, status: int = 200) -> list[Read]:
    return [Read(begin + place * every, each, status == 200, status) for place, each in enumerate(seconds)]


def test_what_lasts_is_held_against_calm_and_what_begins_is_told_apart():
    calm, flooded = reads(0.001, 0.002, begin=5.0), reads(0.008, 0.006, 0.003, 0.003, begin=8.0)
    figures = in_figures(calm, flooded, begins_seconds=0.15)
    assert figures["p99 in calm, ms"] == pytest.approx(2)
    assert figures[RATIO] == pytest.approx(1.5)
    assert figures["p99 while it begins ÷ in calm"] == pytest.approx(4)


def test_a_refused_read_of_either_kind_is_counted():
    calm, flooded = reads(0.001, begin=1.0, status=503), reads(0.001, 0.001, begin=2.0, status=429)
    assert in_figures(calm, flooded, begins_seconds=0.05)["timed reads that were refused"] == 3


def test_the_timed_client_stays_within_the_rate_that_the_other_one_exceeds():
    plan = Plan()
    _, beyond = floods(plan)
    assert float(beyond.environment["ASIDE_LIMITS__REQUESTS_PER_SECOND"]) > plan.flood_hits_per_second
