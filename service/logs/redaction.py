"""Takes out of log lines what must not be in them: passwords in URLs, and what exceptions quote of the data."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

from service.errors import AsideError

HIDDEN = "***"

_USER_INFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/?#\s'\"]*@", re.IGNORECASE)
_SECRET_QUERY = re.compile(r"(?P<name>[?&](?:password|passwd|pwd|token|secret|sslpassword)=)[^&#\s'\"]+", re.IGNORECASE)

_SPEAKS_OF_PROGRAMS = (AsideError, OSError, ImportError, RuntimeError, AssertionError, NotImplementedError)
"""Exceptions whose text is about the program or the system. Others, a driver's or a parser's, may quote a document."""


def redact_url(text: str) -> str:
    """``text`` with the user and password of every URL in it hidden, and passwords among their parameters."""
    return _SECRET_QUERY.sub(rf"\g<name>{HIDDEN}", _USER_INFO.sub(rf"\g<scheme>{HIDDEN}@", text))


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: `redact_url` for every text in the event, however deep."""
    for name, value in event.items():
        event[name] = _redacted(value)
    return event


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return redact_url(value) if "://" in value or "=" in value else value
        case dict():
            return {name: _redacted(member) for name, member in value.items()}
        case list() | tuple():
            return [_redacted(member) for member in value]
        case bool() | int() | float() | None:
            return value
        case _:
            # Anything else would be written by its repr, which may hold whatever it likes.
            return f"<{type(value).__qualname__}>"


def describe_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: `exc_info` becomes a list of exceptions, the outermost last, each with where it arose."""
    match event.pop("exc_info", None):
        case BaseException() as error:
            event["exceptions"] = _chain(error)
        case (type(), BaseException() as error, TracebackType() | None):
            event["exceptions"] = _chain(error)
        case True if (current := sys.exception()) is not None:
            event["exceptions"] = _chain(current)
        case _:
            pass
    return event


def _chain(error: BaseException) -> list[dict[str, Any]]:
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        chain.append(_described(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain[::-1]


def _described(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    described: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(error, _SPEAKS_OF_PROGRAMS):
        described["text"] = str(error)
    if isinstance(error, BaseExceptionGroup):
        described["exceptions"] = [_described(member) for member in error.exceptions]
    frames = traceback.extract_tb(error.__traceback__)
    described["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return described
