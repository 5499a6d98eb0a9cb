"""Which names are read most, out of a sample that fades."""

from __future__ import annotations

import random

import pytest

from service.cache.top_keys import TopKeys


def test_the_hottest_come_first_with_about_the_rate_at_which_they_were_read():
    top = TopKeys(0.0, half_life_seconds=300, weight=32)
    for second in range(1, 3_001):
        for _ in range(3):
            top.note("hot")
        top.note("warm")
        if second % 100 == 0:
            top.top(second, 10)  # somebody looks: counts fade
    (hot, warm) = top.top(3_000, 10)
    assert (hot.name, warm.name) == ("hot", "warm")
    assert hot.reads_per_second == pytest.approx(3 * 32, rel=0.2)
    assert warm.reads_per_second == pytest.approx(32, rel=0.2)


def test_a_young_sample_is_not_taken_for_a_slow_one():
    top = TopKeys(100.0, weight=32)
    for _ in range(50):
        top.note("x")
    assert top.top(110.0, 1)[0].reads_per_second == pytest.approx(160, rel=0.1)


def test_what_was_hot_yesterday_gives_way_and_is_forgotten():
    top = TopKeys(0.0, half_life_seconds=300)
    for _ in range(1_000):
        top.note("yesterday")
    top.top(0.0, 1)
    for _ in range(20):
        top.note("today")
    assert top.top(3_000.0, 5)[0].name == "yesterday"
    for _ in range(20):
        top.note("today")
    assert [heat.name for heat in top.top(3_600.0, 5)] == ["today", "yesterday"]
    assert [heat.name for heat in top.top(9_000.0, 5)] == []


def test_what_is_hot_survives_a_flood_of_names_that_are_read_once():
    drawn, top = random.Random(7), TopKeys(0.0, kept=100)
    for number in range(20_000):
        top.note(f"cold{number}")
        if drawn.random() < 0.2:
            top.note(f"hot{drawn.randrange(5)}")
    assert {heat.name for heat in top.top(1.0, 5)} == {f"hot{number}" for number in range(5)}
    assert len(top.top(1.0, 1_000)) <= 100
