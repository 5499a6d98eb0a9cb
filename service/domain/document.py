"""Decides whether bytes are JSON that can be kept, means one thing to every reader, and costs what it weighs.

Every decision is made by C code in time linear to the length: one pass of the parser, a few searches. Python code runs
per object only, and, for a body that is refused, once more to name the place.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, NoReturn

from service.domain.document_faults import locate_repeated_name, locate_string, locate_unstorable_number
from service.domain.numerals import GROWTH_ALLOWANCE, growth, is_storable
from service.errors import MalformedJsonError, UnacceptableDocumentError

_BRACKETS_TO_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
_SURROGATE_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _NameGivenTwiceError(Exception):
    """Stops the parser at an object that names a member twice."""


def check_document(raw: bytes, *, max_depth: int) -> None:
    """Return if ``raw`` is JSON (RFC 8259) in UTF-8 that PostgreSQL keeps as it is meant.

    Raises `MalformedJsonError` for what is not JSON, or is read differently by different readers: another encoding,
    a byte order mark, NaN and Infinity, a name given twice, a surrogate without its other half. Raises
    `UnacceptableDocumentError` for JSON that cannot be kept: deeper than ``max_depth``, U+0000 in a string, a number
    outside PostgreSQL's numeric, or exponents that together would grow the text out of proportion.
    """
    text = _decode(raw)
    unescaped = raw.replace(b"\\\\", b"") if b"\\" in raw else raw
    bare = _without_strings(unescaped)
    if _depth_exceeds(bare, max_depth):
        raise UnacceptableDocumentError(f"arrays and objects are nested deeper than {max_depth} levels")
    _parse(text)
    _check_escapes(unescaped, text)
    if not is_storable(bare):
        raise UnacceptableDocumentError("a number has too many digits", pointer=locate_unstorable_number(text))
    if growth(bare) > GROWTH_ALLOWANCE + len(raw):
        raise UnacceptableDocumentError("the exponents of its numbers would make it too long when written out")


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise MalformedJsonError("begins with a byte order mark; JSON is sent without one")
    return text


def _without_strings(unescaped: bytes) -> bytes:
    """The text with an empty string in place of each. Exact as far as it is JSON; the parser stops where it is not.

    With the escaped backslashes gone, a backslash before a quotation mark escapes it, and every other one is an end.
    """
    if b"\\" in unescaped:
        unescaped = unescaped.replace(b'\\"', b"")
    return b'""'.join(unescaped.split(b'"')[::2])


def _depth_exceeds(bare: bytes, max_depth: int) -> bool:
    """Must be asked before parsing, for the parser recurses."""
    if bare.count(b"[") + bare.count(b"{") <= max_depth:
        return False
    steps = bare.translate(_BRACKETS_TO_STEPS, _ALL_BUT_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > max_depth


def _parse(text: str) -> None:
    try:
        _PARSER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJsonError(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except _NameGivenTwiceError:
        raise MalformedJsonError("a name is given twice in one object", pointer=locate_repeated_name(text)) from None


def _check_escapes(unescaped: bytes, text: str) -> None:
    if b"\\u" not in unescaped:
        return
    if b"\\u0000" in unescaped:
        pointer = locate_string(text, lambda value: "\0" in value)
        raise UnacceptableDocumentError("a string contains U+0000, which cannot be stored", pointer=pointer)
    if _SURROGATE.search(_SURROGATE_PAIR.sub(b"", unescaped)):
        pointer = locate_string(text, _has_lone_surrogate)
        raise MalformedJsonError("a string contains half of a surrogate pair", pointer=pointer)


def _has_lone_surrogate(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJsonError(f"not JSON: {name} is no JSON value")


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> None:
    """The value itself is not wanted, so none is built."""
    if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
        raise _NameGivenTwiceError


_PARSER = json.JSONDecoder(
    # Numbers stay text: converting them would cost time, and Python refuses integers above 4300 digits.
    parse_int=str,
    parse_float=str,
    parse_constant=_refuse_constant,
    object_pairs_hook=_refuse_repeated_names,
)
