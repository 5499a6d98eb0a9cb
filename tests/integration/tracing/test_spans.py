"""Spans of a real service on real servers: whose part each is, and what it says of the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import asyncpg
import httpx
import pytest
import uvicorn
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.app import create_app
from service.embedded import free_port
from service.settings import Settings
from service.tracing.telemetry import telemetry_through
from tests.integration.api.conftest import until_ready
from tests.support.waiting import eventually

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


class Traced(NamedTuple):
    client: httpx.AsyncClient
    exporter: InMemorySpanExporter

    def spans(self, trace_id: str = TRACE_ID) -> dict[str, ReadableSpan]:
        """Of one trace, by name; the last of each."""
        return {span.name: span for span in self.exporter.get_finished_spans() if trace_of(span) == trace_id}

    async def eventually(self, *names: str) -> dict[str, ReadableSpan]:
        """The same, when all of these have ended: the span of a request ends after its answer."""
        await eventually(lambda: set(names) <= self.spans().keys())
        return self.spans()


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


@pytest.fixture
async def traced(database_url: str, redis_url: str) -> AsyncIterator[Traced]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(DATABASE_URL=database_url, REDIS_URL=redis_url)
    app = create_app(settings, telemetry=telemetry_through(provider, version="0"))
    server = uvicorn.Server(uvicorn.Config(app, port=(port := free_port()), log_config=None))
    running = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await until_ready(client)
            yield Traced(client, exporter)
    finally:
        server.should_exit = True
        await running


def attribute(span: ReadableSpan, name: str) -> object:
    return dict(span.attributes or {}).get(name)


async def test_a_miss_and_a_hit_are_told_with_all_that_they_waited_for(traced: Traced, sql: asyncpg.Connection) -> None:
    await sql.execute("INSERT INTO entity (entity_type, id, body) VALUES ('book', 'dune', '{}')")
    headers = {"traceparent": TRACEPARENT}
    assert (await traced.client.get("/v1/entities/book/dune", headers=headers)).status_code == 200
    request = "GET /v1/entities/{entity_type}/{id}"
    spans = await traced.eventually(request, "read", "cache read", "cache lease", "load", "query", "cache fill")
    parents = {name: span.parent.span_id for name, span in spans.items() if span.parent is not None}
    ids = {name: span.context.span_id for name, span in spans.items() if span.context is not None}
    assert parents[request] == int(TRACEPARENT.split("-")[2], 16)
    assert parents["read"] == ids[request]
    assert {parents[name] for name in ("cache read", "cache lease", "load", "cache fill")} == {ids["read"]}
    assert parents["query"] == ids["load"]
    outcomes = {name: attribute(span, "aside.outcome") for name, span in spans.items()}
    assert (outcomes["read"], outcomes["cache read"], outcomes["cache lease"]) == ("miss", "nothing", "granted")
    assert outcomes["cache fill"] == "stored"
    traced.exporter.clear()
    answer = await traced.client.get("/v1/entities/book/dune", headers=headers)
    assert answer.headers["cache-status"].startswith("aside; hit")
    spans = await traced.eventually(request, "read")
    assert set(spans) == {request, "read", "cache read"}
    assert attribute(spans["read"], "aside.outcome") == "hit"
    assert attribute(spans[request], "http.response.status_code") == 200


async def test_one_query_for_many_requests_is_nobodys_part_and_linked_to_each(
    traced: Traced, sql: asyncpg.Connection
) -> None:
    ids = [f"b{number}" for number in range(8)]
    await sql.executemany("INSERT INTO entity (entity_type, id, body) VALUES ('book', $1, '{}')", [(i,) for i in ids])
    headers = {"traceparent": TRACEPARENT}
    answer = await traced.client.post("/v1/entities/book/batch-read", json={"ids": ids}, headers=headers)
    assert [item["status"] for item in answer.json()["items"]] == [200] * len(ids)
    [request] = [span for span in await ended(traced, lambda span: span.name.startswith("POST")) if span.context]
    assert trace_of(request) == TRACE_ID
    queries = [span for span in traced.exporter.get_finished_spans() if span.name == "query"]
    loads = {
        span.context.span_id for span in traced.exporter.get_finished_spans() if span.name == "load" and span.context
    }
    assert len(loads) == len(ids)
    [query] = [span for span in queries if len(span.links) > 1]
    assert query.parent is None
    assert trace_of(query) != TRACE_ID
    linked = [link.context.span_id for span in queries for link in span.links]
    alone = [span.parent.span_id for span in queries if span.parent is not None]
    assert sorted(linked + alone) == sorted(loads)


async def ended(traced: Traced, is_wanted: Callable[[ReadableSpan], bool]) -> list[ReadableSpan]:
    return await eventually(lambda: list(filter(is_wanted, traced.exporter.get_finished_spans())))


async def test_who_waits_for_anothers_lease_and_who_writes_is_told_too(traced: Traced, sql: asyncpg.Connection) -> None:
    await sql.execute("INSERT INTO entity (entity_type, id, body) VALUES ('book', 'emma', '{}')")
    path, headers = "/v1/entities/book/emma", {"traceparent": TRACEPARENT}
    await asyncio.gather(*[traced.client.get(path, headers=headers) for _ in range(10)])
    await traced.eventually("lease wait")
    assert (await traced.client.put(path, json=1, headers=headers)).headers["aside-cache"] == "applied"
    spans = await traced.eventually("intend", "settle", "cache apply")
    assert attribute(spans["settle"], "aside.outcome") == "applied"
    assert attribute(spans["cache apply"], "aside.outcome") == "dropped"


async def test_what_fails_says_so_in_its_span(traced: Traced, sql: asyncpg.Connection) -> None:
    await sql.execute("ALTER TABLE entity RENAME TO elsewhere")
    headers = {"traceparent": TRACEPARENT}
    assert (await traced.client.get("/v1/entities/book/none", headers=headers)).status_code == 503
    spans = await traced.eventually("read", "load", "query")
    for name in ("read", "load"):
        assert not spans[name].status.is_ok
        assert attribute(spans[name], "error.type") == "SchemaMissingError"


async def test_probes_and_scrapes_have_no_spans(traced: Traced) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        await traced.client.get(path, headers={"traceparent": TRACEPARENT})
    assert traced.spans() == {}
