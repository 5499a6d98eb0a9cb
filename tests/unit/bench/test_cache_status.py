"""What is read out of Cache-Status: of Aside's own words, and of others'."""

from __future__ import annotations

import pytest

from service.bench.cache_status import outcome_of


@pytest.mark.parametrize(
    ("told", "status", "outcome"),
    [
        ("aside; hit; ttl=287", 200, "hit"),
        ("aside; hit; ttl=287", 304, "hit"),
        ("aside; hit; ttl=20", 404, "negative_hit"),
        ("aside; hit; ttl=-12; detail=stale-if-error", 200, "stale"),
        ("aside; fwd=uri-miss; stored", 200, "miss"),
        ("aside; fwd=uri-miss; detail=fill-refused", 200, "miss"),
        ("aside; fwd=stale; stored", 200, "miss"),
        ("aside; fwd=request", 200, "bypass"),
        ("aside; fwd=bypass; detail=lease-busy", 200, "bypass"),
        ("aside; fwd=bypass; detail=cache-off", 200, "off"),
        ("aside; fwd=bypass; detail=cache-unreachable", 200, "off"),
        ("origin; fwd=miss, edge; hit", 200, "hit"),
        ("origin; hit, edge; fwd=uri-miss; stored", 200, "miss"),
        ('"a, b; hit"; fwd=miss; detail="x, y; hit"', 200, "miss"),
        (r'c; key="say \"hit\", please"; hit', 200, "hit"),
        ("c;hit=?1;ttl=4", 200, "hit"),
        ("c; hit=?0", 200, "other"),
        ("HIT", 200, "other"),
        ("", 200, "other"),
        ('"', 200, "other"),
        (",;,;", 200, "other"),
    ],
)
def test_an_answer_is_counted_as_what_its_cache_says_that_it_was(told: str, status: int, outcome: str) -> None:
    assert outcome_of(told.encode(), status) == outcome
