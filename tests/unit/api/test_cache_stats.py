"""The cache in numbers: what `GET /v1/cache/stats` makes of the counters and of a look at the cache."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api.cache_report import CacheStats
from service.cache.entry import Outcome
from service.cache.probe import Memory
from service.domain.nines import statement
from service.services.cache_state import DatabaseSeen
from tests.unit.api.stand_in import StandIn

PATH = "/v1/cache/stats"


async def stats_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(PATH)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    CacheStats.model_validate(answer.json())
    return answer.json()


async def test_the_hit_ratio_is_the_share_of_both_kinds_of_hits_in_all_reads(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    assert (await stats_of(client))["requests"]["all"]["since_start"]["hit_ratio"] is None
    counts = {"hit": 5, "negative_hit": 1, "stale": 1, "miss": 1, "bypass": 1, "off": 1}
    for outcome, count in counts.items():
        for _ in range(count):
            stand_in.recorder.read("parameter", Outcome(outcome))
    requests = (await stats_of(client))["requests"]
    for span in ("last_minute", "last_15_minutes", "since_start"):
        answered = requests["entity_types"]["parameter"][span]
        assert {name: answered[name] for name in counts} == counts
        assert answered["hit_ratio"] == 0.6
        assert requests["all"][span]["hit_ratio"] == 0.6
        assert requests["entity_types"]["other"][span]["hit_ratio"] is None


async def test_work_and_audit_are_the_counters_of_the_process(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    told = stand_in.recorder
    told.load_started(7)
    told.fill("stored")
    told.fill("refused")
    told.early_refresh("country")
    told.write("deferred")
    told.audit_checked("parameter", "served")
    told.audit_checked("country", "random")
    told.audit_checked("country", "random")
    told.audit_suspect()
    told.audit_stale("country")
    told.audit_age(3.5)
    stats = await stats_of(client)
    assert stats["work"] == {
        "load_batches": 1, "loaded_keys": 7, "fills_stored": 1, "fills_refused": 1, "fills_failed": 0,
        "early_refreshes": 1, "writes_applied": 0, "writes_deferred": 1,
    }  # fmt: skip
    audit = stats["audit"]
    assert (audit["checked"], audit["served"], audit["random"]) == (3, 1, 2)
    assert (audit["stale"], audit["suspects"], audit["oldest_stale_seconds"]) == (1, 1, 3.5)
    assert audit["entity_types"] == {"other": {"checked": 2, "stale": 1}, "parameter": {"checked": 1, "stale": 0}}
    assert audit["nines"] == 0
    assert audit["statement"] == statement(3, 1, bound_seconds=2.0)


async def test_no_number_of_types_makes_the_answer_longer(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    before = await stats_of(client)
    for number in range(500):
        stand_in.recorder.read(f"type{number}", Outcome.HIT)
        stand_in.recorder.audit_checked(f"type{number}", "random")
    after = await stats_of(client)
    assert set(after["requests"]["entity_types"]) == set(before["requests"]["entity_types"]) == {"other", "parameter"}


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        (Memory(1, 0, "noeviction", 0), "maxmemory is not set"),
        (Memory(1, 9, "noeviction", 0), "a full Redis takes no new entries"),
        (Memory(1, 9, "allkeys-lfu", 0), None),
    ],
)
async def test_a_redis_that_cannot_evict_or_has_no_limit_is_warned_of_in_words(
    client: httpx.AsyncClient, stand_in: StandIn, memory: Memory, words: str | None
) -> None:
    stand_in.seen = replace(stand_in.seen, memory=memory)
    warning = (await stats_of(client))["redis"]["warning"]
    assert (warning is None) if words is None else (words in warning)


async def test_a_cache_that_is_off_says_why_and_since_when(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.seen = replace(
        stand_in.seen, is_on=False, state="off: no heartbeat", heartbeat_age_seconds=None, memory=None
    )
    stats = await stats_of(client)
    assert stats["cache"] == {
        "on": False, "state": "off: no heartbeat", "since_seconds": 5.0, "heartbeat_age_seconds": None,
        "relay": "leading", "relay_lag_seconds": 0.0,
    }  # fmt: skip
    assert stats["redis"] == {
        "reachable": False, "used_bytes": None, "limit_bytes": None, "policy": None, "evicted_keys": None,
        "warning": None,
    }  # fmt: skip


async def test_latencies_are_percentiles_and_null_where_nothing_was_asked(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    nothing = {"p50_seconds": None, "p95_seconds": None, "p99_seconds": None}
    assert (await stats_of(client))["latency"]["requests"]["last_minute"] == nothing
    for _ in range(100):
        stand_in.recorder.load_ended(0.007)
    latency = (await stats_of(client))["latency"]
    for span in ("last_minute", "last_15_minutes", "since_start"):
        assert latency["database_loads"][span] == {
            "p50_seconds": 0.0075, "p95_seconds": 0.00975, "p99_seconds": 0.00995,
        }  # fmt: skip
        assert latency["cache_reads"][span] == nothing


async def test_the_database_is_told_of_in_numbers(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.recorder.load_started(7)
    stand_in.recorder.connections("write", 2, 8)
    stand_in.seen = replace(stand_in.seen, database=DatabaseSeen(available=False, away_seconds=3.5))
    assert (await stats_of(client))["database"] == {
        "available": False,
        "unavailable_seconds": 3.5,
        "loads_in_flight": 1,
        "connections": {"write": {"busy": 2, "allowed": 8}},
    }


def test_the_example_is_one_that_could_be_answered(app: FastAPI) -> None:
    answer = app.openapi()["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    stats = CacheStats.model_validate(answer["example"])
    assert stats.model_dump() == answer["example"]
    assert answer["schema"] == {"$ref": "#/components/schemas/CacheStats"}
    reads = stats.requests.all.since_start
    assert reads.hit_ratio == (reads.hit + reads.negative_hit) / 10_000 == 0.943
    assert stats.audit.statement == statement(4_210, 0, bound_seconds=2.0)
    assert stats.audit.nines == 3


def test_every_field_that_is_a_time_or_a_size_says_its_unit(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    fields = {name for each in ("Cache", "Audit", "Redis", "Requests") for name in schemas[each]["properties"]}
    assert {name for name in fields if "age" in name or "since" in name or "used" in name or "limit" in name} <= {
        name for name in fields if name.endswith(("_seconds", "_bytes"))
    }
