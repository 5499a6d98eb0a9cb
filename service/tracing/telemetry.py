"""Tracing as the app is built with it, or without: FastAPI's span of each request, the seams, and an end in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider

from service.tracing.seams import PLAIN, Seams, traced

_PROBES = frozenset({"/livez", "/readyz", "/metrics"})


async def _nothing() -> None: ...


@dataclass(frozen=True, slots=True)
class Telemetry:
    """``config`` is FastAPI's; ``close`` sends what is left, at the end of the context."""

    config: TelemetryConfig
    seams: Seams
    close: Callable[[], Awaitable[None]] = _nothing

    @property
    def is_on(self) -> bool:
        return self.seams is not PLAIN

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


# Prometheus has the metrics, structlog the logs. Providers of others in this process are left alone.
_NO_CONFIG = TelemetryConfig(tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False)
OFF = Telemetry(_NO_CONFIG, PLAIN)


def telemetry_through(
    provider: TracerProvider, *, version: str, close: Callable[[], Awaitable[None]] = _nothing
) -> Telemetry:
    """Spans by any provider. Who closes it is the caller's to say."""
    config = TelemetryConfig(**{**_NO_CONFIG, "tracing": True, "tracer_provider": provider, "exclude": _is_probe})
    return Telemetry(config, traced(provider.get_tracer("aside", version)), close)


def telemetry_by_environment(version: str) -> Telemetry:
    """As the standard OTEL_* variables say. Needs the SDK: `pip install 'aside[tracing]'`."""
    from service.tracing.provider import close_provider, make_provider  # noqa: PLC0415 (an optional dependency)

    provider = make_provider(version)
    return telemetry_through(provider, version=version, close=partial(close_provider, provider))


def _is_probe(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in _PROBES
