"""The cache over time: what `GET /v1/cache/history` makes of the steps that were counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api.cache_history_report import CacheHistory, history_of
from service.cache.entry import Outcome
from service.metrics import Metrics
from service.metrics.totals import read_totals
from service.metrics.windows import Windows

PATH = "/v1/cache/history"


def lists_in(node: object) -> Iterator[list[Any]]:
    match node:
        case dict():
            for member in node.values():
                yield from lists_in(member)
        case list():
            yield node


def told(metrics: Metrics, *steps: Any, entity_type: str | None = None) -> dict[str, Any]:
    """The history of an app in whose steps of two seconds these things happen."""
    windows = Windows(longest_seconds=900, step_seconds=1)
    windows.add(0.0, read_totals(metrics.registry), at=1_000.0)
    for number, happens in enumerate(steps, 1):
        happens()
        windows.add(2.0 * number, read_totals(metrics.registry), at=1_000.0 + 2 * number)
    stretch = windows.lately(900, 2.0 * len(steps))
    return history_of(stretch, step_seconds=2.0, entity_type=entity_type).model_dump()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(["country"])


def test_each_step_has_its_own_rates_and_ratios_and_what_is_unknown_is_null(metrics: Metrics) -> None:
    def reads() -> None:
        metrics.read("country", Outcome.HIT, 3)
        metrics.read("country", Outcome.NEGATIVE_HIT, 3)
        metrics.read("price", Outcome.MISS, 2)
        metrics.request("GET", "/v1/entities/{entity_type}/{id}", 200, 0.003)
        metrics.heartbeat(0.25)
        metrics.condition(redis_up=True, cache_on=True, postgresql_up=True, relay_leads=True, audit_runs=True)
        metrics.redis_memory(used_bytes=1_000, limit_bytes=0, evicted_keys=0, can_evict=True)
        metrics.connections("write", 2, 8)

    def redis_goes() -> None:
        metrics.heartbeat(float("inf"))
        metrics.condition(redis_up=False, cache_on=False, postgresql_up=True, relay_leads=True, audit_runs=False)

    history = told(metrics, reads, redis_goes)
    assert history["times"] == [1_002.0, 1_004.0]
    assert history["requests_per_second"]["hit"] == [1.5, 0.0]
    assert history["requests_per_second"]["miss"] == [1.0, 0.0]
    assert history["hit_ratio"] == [0.75, None]
    assert history["latency_seconds"]["requests"]["p50"] == [pytest.approx(0.00375), None]
    assert history["latency_seconds"]["database_loads"]["p99"] == [None, None]
    assert history["heartbeat_age_seconds"] == [0.25, None]
    assert history["redis_used_bytes"] == [1_000, None]
    assert history["busy_connections"] == {"write": [2, 2]}


def test_of_one_type_only_what_is_counted_by_type_is_filtered(metrics: Metrics) -> None:
    def happens() -> None:
        metrics.read("country", Outcome.HIT)
        metrics.read("price", Outcome.MISS)
        metrics.early_refresh("country")
        metrics.load_started(8)

    of_others = told(metrics, happens, entity_type="other")
    assert of_others["requests_per_second"] | {"miss": []} == {each.value: [0.0] for each in Outcome} | {"miss": []}
    assert (of_others["requests_per_second"]["miss"], of_others["hit_ratio"]) == ([0.5], [0.0])
    assert of_others["early_refreshes_per_second"] == [0.0]
    assert of_others["loaded_keys_per_second"] == [4.0]
    assert told(metrics, happens, entity_type="country")["early_refreshes_per_second"] == [0.5]


async def test_every_column_is_as_long_as_the_times_also_when_there_are_none(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    history = CacheHistory.model_validate(answer.json())
    assert {len(column) for column in lists_in(history.model_dump())} == {len(history.times)}


@pytest.mark.parametrize("query", ["seconds=0", "seconds=901", "seconds=1e2", "seconds=", "entity_type=A"])
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


def test_the_example_is_one_that_could_be_answered(app: FastAPI) -> None:
    answer = app.openapi()["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    history = CacheHistory.model_validate({**answer["example"], "entity_type": None})
    assert {len(column) for column in lists_in(history.model_dump())} == {3}
    assert answer["schema"] == {"$ref": "#/components/schemas/CacheHistory"}
