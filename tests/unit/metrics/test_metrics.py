"""What Prometheus is told."""

from __future__ import annotations

import math
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.cache.entry import Outcome
from service.cache.recorder import Recorder
from service.metrics import Metrics, expose
from service.metrics.recording import MOST_TYPES

PROMISED = {
    "aside_cache_requests_total": {"entity_type", "outcome"},
    "aside_cache_errors_total": {"op", "kind"},
    "aside_request_seconds_count": {"method", "route", "status"},
    "aside_cache_seconds_count": {"op"},
    "aside_db_load_seconds_count": set(),
    "aside_db_load_batch_size_count": set(),
    "aside_db_loads_in_flight": set(),
    "aside_fills_total": {"result"},
    "aside_shed_total": {"class"},
    "aside_streams_open": set(),
    "aside_streams_ended_total": {"reason"},
    "aside_rate_limited_total": set(),
    "aside_early_refreshes_total": {"entity_type"},
    "aside_lease_wait_seconds_count": set(),
    "aside_writes_total": {"result"},
    "aside_heartbeat_age_seconds": set(),
    "aside_relay_lag_seconds": set(),
    "aside_audit_checked_total": {"entity_type", "sample"},
    "aside_audit_stale_total": {"entity_type"},
    "aside_audit_suspects_total": set(),
    "aside_audit_oldest_stale_seconds": set(),
    "aside_build_info": {"version", "python"},
    "aside_redis_up": set(),
    "aside_cache_on": set(),
    "aside_postgresql_up": set(),
    "aside_schema_current": set(),
    "aside_relay_leading": set(),
    "aside_audit_running": set(),
    "aside_db_connections_busy": {"share"},
    "aside_db_connections_allowed": {"share"},
    "aside_redis_memory_used_bytes": set(),
    "aside_redis_memory_limit_bytes": set(),
    "aside_redis_evicted_keys": set(),
    "aside_redis_can_evict": set(),
    "aside_foreign_heartbeats_total": set(),
    "aside_jobs_total": {"kind", "state"},
    "aside_bound_seconds": set(),
    "aside_audit_samples_per_second": set(),
}


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = expose(metrics.registry, "")[0].decode()
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[name, frozenset(labels.items())]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(["country", "price"], version="1.2.3")


def tell_everything(recorder: Recorder) -> None:
    recorder.read("country", Outcome.HIT)
    recorder.cache_call("read", 0.0004)
    recorder.cache_error("read", "timeout")
    recorder.load_started(7)
    recorder.load_ended(0.003)
    recorder.fill("stored")
    recorder.early_refresh("country")
    recorder.lease_wait(0.02)
    recorder.write("applied")
    recorder.heartbeat(0.1)
    recorder.relay(0.05, 3)
    recorder.audit_checked("country", "served")
    recorder.audit_suspect()
    recorder.audit_stale("country")
    recorder.audit_age(2.5)
    recorder.foreign_heartbeat()
    recorder.stream_opened()
    recorder.stream_ended("client")
    recorder.condition(redis_up=True, cache_on=False, postgresql_up=True, relay_leads=True, audit_runs=False)
    recorder.schema(is_current=True)
    recorder.connections("load", 2, 3)
    recorder.redis_memory(used_bytes=7, limit_bytes=9, evicted_keys=4, can_evict=True)


def test_every_promised_metric_is_there_with_its_labels(metrics: Metrics) -> None:
    tell_everything(metrics)
    metrics.request("GET", "/livez", 200, 0.001)
    exported = {(name, frozenset(dict(labels))) for name, labels in samples(metrics)}
    assert {(name, frozenset(labels)) for name, labels in PROMISED.items()} <= exported


def test_nothing_else_is_called_aside(metrics: Metrics) -> None:
    tell_everything(metrics)
    metrics.request("GET", "/livez", 200, 0.001)
    names = {name for name, _ in samples(metrics) if name.startswith("aside_")}
    histograms = {name.removesuffix("_count") for name in PROMISED if name.endswith("_count")}
    assert names == set(PROMISED) | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum")}


def test_reads_are_counted_by_type_and_outcome(metrics: Metrics) -> None:
    for outcome in (Outcome.HIT, Outcome.HIT, Outcome.MISS):
        metrics.read("country", outcome)
    assert value(metrics, "aside_cache_requests_total", entity_type="country", outcome="hit") == 2
    assert value(metrics, "aside_cache_requests_total", entity_type="country", outcome="miss") == 1
    assert value(metrics, "aside_cache_requests_total", entity_type="price", outcome="hit") == 0


def test_types_that_nobody_configured_share_one_label(metrics: Metrics) -> None:
    before = len(samples(metrics))
    for number in range(1_000):
        metrics.read(f"type{number}", Outcome.MISS)
        metrics.early_refresh(f"type{number}")
    assert value(metrics, "aside_cache_requests_total", entity_type="other", outcome="miss") == 1_000
    assert len(samples(metrics)) == before


def test_types_that_get_a_policy_later_get_a_label_but_not_more_than_so_many(metrics: Metrics) -> None:
    metrics.read("late", Outcome.HIT)
    metrics.entity_types(["late", "country"])
    metrics.read("late", Outcome.HIT)
    metrics.audit_stale("late")
    assert value(metrics, "aside_cache_requests_total", entity_type="late", outcome="hit") == 1
    assert value(metrics, "aside_cache_requests_total", entity_type="other", outcome="hit") == 1
    assert value(metrics, "aside_audit_stale_total", entity_type="late") == 1
    metrics.entity_types(f"type{number}" for number in range(1_000))
    names = {dict(labels).get("entity_type") for name, labels in samples(metrics) if name.startswith("aside_cache_req")}
    assert len(names) == MOST_TYPES


def test_methods_that_nobody_knows_share_one_label(metrics: Metrics) -> None:
    for number in range(100):
        metrics.request(f"METHOD{number}", None, 405, 0.001)
    assert value(metrics, "aside_request_seconds_count", method="other", route="other", status="405") == 100


def test_loads_in_flight_go_up_and_down(metrics: Metrics) -> None:
    metrics.load_started(5)
    metrics.load_started(9)
    metrics.load_ended(0.01)
    assert value(metrics, "aside_db_loads_in_flight") == 1
    assert value(metrics, "aside_db_load_batch_size_sum") == 14


def test_what_holds_is_one_and_what_does_not_is_zero(metrics: Metrics) -> None:
    tell_everything(metrics)
    found = {name: v for (name, labels), v in samples(metrics).items() if not labels}
    ones = {"redis_up", "postgresql_up", "schema_current", "relay_leading", "redis_can_evict"}
    assert {name for name in ones if found[f"aside_{name}"] == 1} == ones
    assert found["aside_cache_on"] == found["aside_audit_running"] == 0
    assert (found["aside_redis_memory_used_bytes"], found["aside_redis_memory_limit_bytes"]) == (7, 9)
    assert found["aside_redis_evicted_keys"] == 4
    assert value(metrics, "aside_db_connections_busy", share="load") == 2
    assert value(metrics, "aside_db_connections_allowed", share="load") == 3


def test_no_heartbeat_is_infinitely_old(metrics: Metrics) -> None:
    metrics.heartbeat(math.inf)
    assert value(metrics, "aside_heartbeat_age_seconds") == math.inf


@pytest.mark.parametrize("seconds", [0.0001, 0.004, 4.9])
def test_times_from_a_tenth_of_a_millisecond_to_five_seconds_fall_into_buckets(
    metrics: Metrics, seconds: float
) -> None:
    metrics.cache_call("fill", seconds)
    buckets = {
        float(dict(labels)["le"]): count
        for (name, labels), count in samples(metrics).items()
        if name == "aside_cache_seconds_bucket" and dict(labels)["op"] == "fill"
    }
    assert buckets[5.0] == 1
    assert len(buckets) == 16


def test_two_apps_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(["country"]), Metrics(["country"])
    one.read("country", Outcome.HIT)
    assert value(other, "aside_cache_requests_total", entity_type="country", outcome="hit") == 0


def test_the_process_tells_about_itself(metrics: Metrics) -> None:
    names = {name for name, _ in samples(metrics)}
    assert {"process_cpu_seconds_total", "process_open_fds", "python_info", "python_gc_collections_total"} <= names
    assert not any(name.endswith("_created") for name in names)


def test_openmetrics_is_written_for_whoever_asks(metrics: Metrics) -> None:
    body, media_type = expose(metrics.registry, "application/openmetrics-text; version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_a_count_is_a_lookup_and_an_increment(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """`labels()` takes a lock and builds strings: none of it on the way of a read."""

    def forbidden(*_: object, **__: object) -> Callable[..., None]:
        pytest.fail("labels() was called")

    monkeypatch.setattr("prometheus_client.metrics.MetricWrapperBase.labels", forbidden)
    tell_everything_hot = (metrics.read, metrics.early_refresh)
    tell_everything_hot[0]("country", Outcome.HIT)
    tell_everything_hot[1]("unheard-of")
    metrics.cache_call("read", 0.001)
    metrics.fill("stored")
    metrics.write("deferred")


def test_the_folder_of_the_workers_must_be_named_in_time(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nowhere")
    with pytest.raises(RuntimeError, match="before prometheus_client is imported"):
        expose(metrics.registry, "")


async def test_requests_are_counted_by_template_never_by_path() -> None:
    from tests.unit.api.conftest import make_app, open_client
    from tests.unit.api.stand_in import StandIn

    app = make_app(stand_in := StandIn())
    stand_in.holds("country", "JP", 1)
    async with app.router.lifespan_context(app), open_client(app) as client:
        for path in ("/v1/entities/country/JP", "/v1/entities/country/XX", "/secret/path", "/docs/assets/none.js"):
            await client.get(path)
        await client.post("/v1/entities/country/JP")
        scrape: httpx.Response = await client.get("/metrics")
    assert scrape.headers["content-type"].startswith("text/plain")
    counted = {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in text_string_to_metric_families(scrape.text)
        for s in family.samples
        if s.name == "aside_request_seconds_count"
    }
    template = "/v1/entities/{entity_type}/{id}"
    assert counted == {
        ("GET", template, "200"): 1,
        ("GET", template, "404"): 1,
        ("GET", "other", "404"): 2,
        ("POST", template, "405"): 1,
    }
