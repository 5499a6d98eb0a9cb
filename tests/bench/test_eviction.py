"""What is read of a cache that is too small, and what is counted of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.bench.cells.eviction import BIN, best_ratio, figures_of, steps, time_line
from tests.bench.plan import Plan

PLAN = replace(Plan(), eviction_keys=1_000, eviction_holds=100, eviction_sweeps=3, eviction_reads=20_000)


def test_the_reads_are_the_same_each_time_and_sweeps_are_of_keys_that_nobody_else_reads() -> None:
    found = steps(PLAN)
    assert found == steps(PLAN)
    assert [step.is_sweep for step in found] == [False, *[True, False] * 3]
    swept = [key for step in found if step.is_sweep for key in step.keys]
    assert len(set(swept)) == len(swept) == 300
    assert min(swept) == PLAN.eviction_keys + 1


def test_reads_follow_the_law_so_that_the_most_popular_have_the_share_that_is_said() -> None:
    counted = Counter(key for step in steps(PLAN) if not step.is_sweep for key in step.keys)
    of_the_first = sum(count for _, count in counted.most_common(PLAN.eviction_holds))
    assert of_the_first / counted.total() == pytest.approx(best_ratio(PLAN), abs=0.01)


def test_sweeps_are_not_counted_and_what_follows_them_is_told_apart() -> None:
    reads = [(True, [False] * 500), (False, [False] * BIN + [True] * BIN)] * 2
    assert figures_of(reads) == {"hit ratio": 0.5, f"hit ratio of the {BIN:,} reads after a sweep": 0.0}
    assert time_line(reads) == [(0, 0.0), (BIN, 1.0), (2 * BIN, 0.0), (3 * BIN, 1.0)]
