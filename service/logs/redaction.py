"""Takes out of log lines what must not be in them: passwords in URLs, keys, and what exceptions quote of the data."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

from service.domain.key_text import LEAKED, PREFIX
from service.errors import AsideError

HIDDEN = "***"

_WORD = re.compile(r"[^\s'\"]+")
_SECRET_QUERY = re.compile(r"(?P<name>[?&](?:password|passwd|pwd|token|secret|sslpassword)=)[^&#\s'\"]+", re.IGNORECASE)

_SPEAKS_OF_PROGRAMS = (AsideError, OSError, ImportError, RuntimeError, AssertionError, NotImplementedError)
"""Exceptions whose text is about the program or the system. Others, a driver's or a parser's, may quote a document."""


def redact_url(text: str) -> str:
    """``text`` with the user and password of every URL in it hidden, and passwords among their parameters.

    A URL ends with a blank or a quotation mark. All up to its last @ counts as user and password: in a password that is
    not encoded, drivers take /, ? and # for parts of it.
    """
    return _SECRET_QUERY.sub(rf"\g<name>{HIDDEN}", _WORD.sub(_without_user, text))


def _without_user(word: re.Match[str]) -> str:
    before, _, rest = word[0].partition("://")
    _, at, place = rest.rpartition("@")
    return f"{before}://{HIDDEN}@{place}" if at else word[0]


def _redacted_text(text: str) -> str:
    if PREFIX in text:
        text = LEAKED.sub(rf"\g<1>{HIDDEN}", text)
    return redact_url(text) if "://" in text or "=" in text else text


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: no secret is left in any text of the event, however deep."""
    for name, value in event.items():
        event[name] = _redacted(value)
    return event


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return _redacted_text(value)
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
