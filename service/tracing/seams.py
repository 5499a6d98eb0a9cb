"""Where the object graph lets somebody look in: as it is, or with a span around each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from opentelemetry.trace import Tracer

from service.cache.engine import Engine
from service.cache.recorder import Recorder
from service.cache.store import Loader, Store
from service.db.entities import Source
from service.tracing.engine import TracedEngine, TracedRecorder
from service.tracing.loading import TracedLoader, TracedSource, Waiting
from service.tracing.store import TracedStore

T = TypeVar("T")


def _as_it_is(part: T) -> T:
    return part


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What the wiring puts into the engine, and makes it with."""

    store: Callable[[Store], Store] = _as_it_is
    source: Callable[[Source], Source] = _as_it_is
    loader: Callable[[Loader], Loader] = _as_it_is
    recorder: Callable[[Recorder], Recorder] = _as_it_is
    engine: Callable[..., Engine] = Engine


PLAIN = Seams()


def traced(tracer: Tracer) -> Seams:
    """The same, with spans."""
    waiting = Waiting()
    return Seams(
        store=partial(TracedStore, tracer=tracer),
        source=partial(TracedSource, tracer=tracer, waiting=waiting),
        loader=partial(TracedLoader, tracer=tracer, waiting=waiting),
        recorder=partial(TracedRecorder, tracer=tracer),
        engine=partial(TracedEngine, tracer=tracer),
    )
