"""A span around something that is awaited: its name, its outcome, and the error that took the outcome's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from service.errors import AsideError

T = TypeVar("T")

Attributes = Mapping[str, AttributeValue]

KEY = "aside.key"
KEYS = "aside.keys"
OUTCOME = "aside.outcome"
_ERROR = "error.type"


async def spanned(
    tracer: Tracer, name: str, asked: Attributes, work: Awaitable[T], outcome: Callable[[T], Attributes],
    *, kind: SpanKind = SpanKind.INTERNAL,
) -> T:  # fmt: skip
    """What ``work`` comes to, under a span of this name. What Aside refuses is an outcome, with the error's name."""
    with tracer.start_as_current_span(
        name, kind=kind, attributes=asked, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            result = await work
        except BaseException as error:
            span.set_attribute(_ERROR, type(error).__name__)
            if isinstance(error, Exception):
                # Of others the text may quote a document.
                span.set_status(StatusCode.ERROR, str(error) if isinstance(error, AsideError) else None)
            raise
        span.set_attributes(outcome(result))
        return result
