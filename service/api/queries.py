"""Reads query parameters: a known one with a value that makes no sense is refused, an unknown one is ignored. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn

from fastapi.exceptions import RequestValidationError

from service.domain.feed import Cursor
from service.domain.feed_cursor import decode_cursor
from service.domain.moments import parse_moment

PAGE_MAX = 1_000
PAGE_DEFAULT = 100
_DIGITS = re.compile(r"[0-9]{1,19}")


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """`true` or `false`; False if it is not given."""
    value = query.get(name, "false")
    if value not in {"true", "false"}:
        _refuse(name, "must be true or false")
    return value == "true"


def read_limit(query: Mapping[str, str]) -> int:
    """`?limit=`: how many items a page may have."""
    value = query.get("limit", str(PAGE_DEFAULT))
    limit = int(value) if _DIGITS.fullmatch(value) else 0
    if not 1 <= limit <= PAGE_MAX:
        _refuse("limit", f"must be a number from 1 to {PAGE_MAX}")
    return limit


def read_seconds(query: Mapping[str, str], *, longest: float) -> int:
    """`?seconds=`: a span of time up to ``longest``, which is meant if it is not given."""
    value = query.get("seconds", f"{longest:.0f}")
    seconds = int(value) if _DIGITS.fullmatch(value) else 0
    if not 1 <= seconds <= longest:
        _refuse("seconds", f"must be a number from 1 to {longest:.0f}")
    return seconds


def read_cursor(text: str, name: str) -> Cursor:
    """A place in the feed of changes; ``name`` is the parameter's, or the header's, that it came with."""
    try:
        return decode_cursor(text)
    except ValueError as error:
        _refuse(name, str(error))


def read_version(query: Mapping[str, str], name: str) -> int | None:
    """A version, None if it is not given."""
    value = query.get(name)
    if value is None:
        return None
    version = int(value) if _DIGITS.fullmatch(value) else 0
    if not 1 <= version < 2**63:
        _refuse(name, "must be a version number")
    return version


def read_moment(query: Mapping[str, str], name: str) -> datetime | None:
    """A moment (RFC 3339, with an offset), None if it is not given."""
    value = query.get(name)
    if value is None:
        return None
    try:
        return parse_moment(value)
    except ValueError as error:
        hint = "; a + in a query is sent as %2B" if " " in value else ""
        _refuse(name, f"{error}{hint}")


def read_text(query: Mapping[str, str], name: str, pattern: str) -> str:
    """A text that fits ``pattern``; empty if it is not given."""
    value = query.get(name)
    if value is not None and not re.fullmatch(pattern, value):
        _refuse(name, f"must match {pattern}")
    return value or ""


def _refuse(name: str, text: str) -> NoReturn:
    raise RequestValidationError([{"loc": ("query", name), "msg": text}])
