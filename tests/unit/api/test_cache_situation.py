"""What is said in words of how the cache is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.api.cache_report_situation import situation, words_of
from service.cache.probe import Memory
from service.metrics.statistics import Counts
from service.metrics.totals import Totals
from service.metrics.windows import Window
from service.services.cache_state import DatabaseSeen
from tests.unit.api.stand_in import StandIn

SEEN = StandIn().seen
NO_REDIS = {"is_on": False, "state": "off: Redis unreachable, serving from PostgreSQL", "memory": None}
NO_HEARTBEAT = {"is_on": False, "state": "off: no heartbeat, serving from PostgreSQL"}
NO_POSTGRESQL = {"database": DatabaseSeen(available=False, away_seconds=12.3)}
FULL = {"memory": Memory(95, 100, "noeviction", 0)}


def counts(**samples: float) -> Counts:
    """The last minute, and all else, with reads by outcome and other things."""
    names = {"stale": "aside_audit_stale_total", "failed": "aside_fills_total"}
    names |= {"busy": "aside_db_connections_busy", "allowed": "aside_db_connections_allowed"}
    labels = {"hit": ("outcome", "hit"), "miss": ("outcome", "miss"), "failed": ("result", "failed")}
    labels |= dict.fromkeys(("busy", "allowed"), ("share", "write"))
    totals = Totals(
        {
            (names.get(each, "aside_cache_requests_total"), frozenset([labels.get(each, ("", ""))])): value
            for each, value in samples.items()
        }
    )
    window = Window(60.0, totals)
    return Counts(window, window, window)


def told(*different: dict[str, Any], **samples: float) -> list[tuple[str, str]]:
    seen = SEEN
    for each in different:
        seen = replace(seen, **each)
    return [(notice.level, notice.text) for notice in situation(counts(**samples), seen)]


def test_where_nothing_is_wrong_it_says_so_and_how_much_comes_out_of_the_cache() -> None:
    assert told() == [("ok", "All is well: nothing was read in the last minute")]
    assert told(hit=5_400, miss=600) == [("ok", "All is well: 90.0 % of 100 reads per second out of the cache")]


@pytest.mark.parametrize(
    ("different", "level", "text"),
    [
        (
            (NO_HEARTBEAT, {"relay": "waiting: too busy"}),
            "trouble",
            "Cache off for 5 s: no heartbeat; serving from PostgreSQL (the relay of this replica: waiting: too busy)",
        ),
        (
            (NO_POSTGRESQL,),
            "trouble",
            "PostgreSQL unreachable for 12 s: writes get 503, and so do reads, except hits in the first 2 s and old "
            "values where a policy allows them (stale-if-error)",
        ),
        (
            (FULL,),
            "trouble",
            "Nothing can be evicted: Redis is 95 % full; 7 new entries could not be kept in the last ",
        ),
        (({"memory": Memory(19, 100, "noeviction", 0)},), "warning", "Nothing can be evicted: Redis is 19 % full"),
        (({"memory": Memory(19, 0, "noeviction", 0)},), "warning", "maxmemory is not set"),
    ],
)
def test_what_is_wrong_is_the_headline(different: tuple[dict[str, Any], ...], level: str, text: str) -> None:
    headline = told(*different, failed=7)[0]
    assert headline[0] == level
    assert headline[1].startswith(text)


def test_an_outage_of_redis_is_told_once_although_the_relay_meets_it_too() -> None:
    text = "Cache off for 5 s: Redis unreachable; serving from PostgreSQL"
    assert told(NO_REDIS, {"relay": "waiting: Redis did not answer in time"}) == [("trouble", text)]


def test_when_both_servers_are_away_nobody_is_said_to_be_served_from_postgresql() -> None:
    notices = told(NO_REDIS, NO_POSTGRESQL)
    assert [level for level, _ in notices] == ["trouble", "trouble"]
    assert notices[0][1].startswith("PostgreSQL unreachable for 12 s")
    assert notices[1][1].startswith("Cache off for 5 s: Redis unreachable; ")
    assert "serving from" not in notices[1][1]


def test_the_worst_comes_first_and_what_is_good_to_know_last() -> None:
    samples = {"busy": 8, "allowed": 8}
    notices = told({"memory": Memory(1, 0, "noeviction", 0)}, {"audit": "paused: Redis is slow"}, stale=2, **samples)
    assert [level for level, _ in notices] == ["trouble", "warning", "note", "note"]
    assert notices[0][1].startswith("The audit found 2 stale in the last 15 minutes")
    assert {text for level, text in notices if level == "note"} == {
        "The audit has paused: Redis is slow",
        "All database connections for writes are busy at this moment",
    }
    assert [level for level, _ in told(**samples)] == ["ok", "note"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (12, "12 s"), (119, "119 s"), (120, "2 min"), (150, "2 min 30 s"), (7_260, "2 h 1 min")],
)
def test_times_are_told_as_people_do(seconds: float, words: str) -> None:
    assert words_of(seconds) == words
