"""Reads what a client asks for beside the document: Cache-Control, Aside-Min-Version, Prefer, ttl_seconds. Pure.

Unknown words are ignored, as HTTP wants it; a known word with a value that makes no sense is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from fastapi.exceptions import RequestValidationError

from service.cache.entry import NO_WISH, Wish
from service.errors import InvalidInputError

MIN_VERSION_HEADER = "Aside-Min-Version"
VERSION_MAX = 2**63 - 1
SECONDS_MAX = 2**31
"""More than this is read as this, as RFC 9111, section 1.2.2, has it."""

_DIRECTIVE = re.compile(
    r"""[\s,]*+
        (?:(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]++)         # a token
        (?:[ \t]*=[ \t]*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s",;]*)))?+)?+
        [^,"]*+(?:"[^"]*"?[^,"]*+)*+                      # parameters, or nonsense: up to the next comma outside quotes
    """,
    re.VERBOSE,
)
_DIGITS = re.compile(r"[0-9]+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


def read_wish(headers: Mapping[str, str]) -> Wish:
    """How a reader wants the cache used. Raises `InvalidInputError` for a known word with a bad value."""
    cache_control, min_version = headers.get("cache-control"), headers.get("aside-min-version")
    if cache_control is None and min_version is None:
        return NO_WISH
    words: dict[str, str | None] = {}
    max_age: float | None = None
    stale_if_error: float | None = None
    for name, value in _directives(cache_control or ""):
        match name:
            case "max-age":
                # Given twice, the stricter one holds.
                seconds = _seconds(name, value)
                max_age = seconds if max_age is None else min(max_age, seconds)
            case "stale-if-error":
                seconds = _seconds(name, value)
                stale_if_error = seconds if stale_if_error is None else min(stale_if_error, seconds)
            case "no-cache" | "only-if-cached" if value is not None:
                raise InvalidInputError(f"Cache-Control: {name} takes no value", pointer="Cache-Control")
            case _:
                words[name] = value
    return Wish(
        no_cache="no-cache" in words,
        only_if_cached="only-if-cached" in words,
        max_age_seconds=max_age,
        stale_if_error_seconds=stale_if_error,
        min_version=0 if min_version is None else _version(min_version),
    )


def wants_no_waiting(headers: Mapping[str, str]) -> bool:
    """Whether a writer would rather not wait for a cache that cannot be reached (`Prefer: respond-async`, RFC 7240)."""
    prefer = headers.get("prefer")
    return prefer is not None and any(name == "respond-async" for name, _ in _directives(prefer))


def read_ttl(query: Mapping[str, str], *, longest_seconds: float) -> float | None:
    """`?ttl_seconds=`: above 0, up to ``longest_seconds``, None if not given. Raises RequestValidationError."""
    value = query.get("ttl_seconds")
    if value is None:
        return None
    seconds = float(value) if _NUMBER.fullmatch(value) else math.nan
    if not 0 < seconds <= longest_seconds:
        fault = {"loc": ("query", "ttl_seconds"), "msg": f"must be a number above 0, up to {longest_seconds:g}"}
        raise RequestValidationError([fault])
    return seconds


def _directives(header: str) -> Iterator[tuple[str, str | None]]:
    for match in _DIRECTIVE.finditer(header):
        name, quoted = match["name"], match["quoted"]
        if name is not None:
            yield name.lower(), match["plain"] if quoted is None else quoted


def _seconds(name: str, value: str | None) -> float:
    if value is None or not _DIGITS.fullmatch(value):
        raise InvalidInputError(f"Cache-Control: {name} takes a number of whole seconds", pointer="Cache-Control")
    return float(SECONDS_MAX if len(value.lstrip("0")) > 10 else min(int(value), SECONDS_MAX))


def _version(value: str) -> int:
    digits = value.strip(" \t")
    if not _DIGITS.fullmatch(digits) or len(digits) > 19 or int(digits) > VERSION_MAX:
        raise InvalidInputError(f"{MIN_VERSION_HEADER} must be a version number", pointer=MIN_VERSION_HEADER)
    return int(digits)
