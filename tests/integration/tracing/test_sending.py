"""Spans as they leave a real process: by OTLP over HTTP, to a collector that decodes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from service.settings import TracingSettings
from service.tracing.provider import close_provider
from tests.conftest import Replicas
from tests.integration.api.conftest import until_ready
from tests.support.collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as server:
        yield server


async def test_what_a_process_has_seen_is_sent_at_its_end_at_the_latest(
    replicas: Replicas, collector: Collector
) -> None:
    [replica] = replicas(
        1, ASIDE_TRACING__ENABLED="true", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        OTEL_BSP_SCHEDULE_DELAY="3600000",
    )  # fmt: skip
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await until_ready(client)
        assert (await client.get("/v1/entities/book/dune")).status_code == 404
    assert await asyncio.to_thread(replica.terminate) == 0, replica.log
    assert collector.resources["service.name"] == "aside"
    by_name = {span.name: span for span in collector.spans}
    request, read = by_name["GET /v1/entities/{entity_type}/{id}"], by_name["read"]
    assert (read.trace_id, read.parent_span_id) == (request.trace_id, request.span_id)
    assert {each.key: each.value.string_value for each in read.attributes}["aside.outcome"] == "miss"


async def test_the_end_of_a_process_waits_for_no_collector_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.tracing.provider._END_SECONDS", 0.01)
    takes_something = threading.Event()
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(provider, "shutdown", takes_something.wait)
    await close_provider(provider)
    assert "aside-tracing-ends" in {thread.name for thread in threading.enumerate()}  # it goes on, and holds up nobody
    takes_something.set()


def test_without_the_sdk_it_is_refused_with_a_word_on_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.settings.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install 'aside\[tracing\]'"):
        TracingSettings(enabled=True)
    assert TracingSettings(enabled=False).enabled is False
