"""The SDK, set up by the standard OTEL_* variables: what is sampled, where spans go, what they say of this service."""

from __future__ import annotations

import asyncio
import os
import threading

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_QUERY = "url.query"
_END_SECONDS = 2.0
"""How long the end of this process waits for what is still to be sent."""


class QueriesUnsaid(SpanProcessor):
    """Of a query, which FastAPI copies into the span of a request, is told only that there was one: some clients put
    into it what belongs into a header.
    """

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 (the SDK's signature)
        if span.attributes is not None and _QUERY in span.attributes:
            span.set_attribute(_QUERY, "REDACTED")


def make_provider(version: str) -> TracerProvider:
    """Sends spans in batches, from a thread of its own; what a collector that is away does not take, is dropped."""
    resource = Resource.create({SERVICE_VERSION: version, **_name()})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(QueriesUnsaid())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _name() -> dict[str, str]:
    said = "OTEL_SERVICE_NAME" in os.environ or SERVICE_NAME in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {} if said else {SERVICE_NAME: "aside"}


async def close_provider(provider: TracerProvider) -> None:
    """Send what there is, within bounds. A daemon, since the exporter's own patience is longer than ours."""
    closing = threading.Thread(target=provider.shutdown, name="aside-tracing-ends", daemon=True)
    closing.start()
    await asyncio.to_thread(closing.join, _END_SECONDS)
