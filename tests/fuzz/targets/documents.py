"""JSON of strangers: documents, numbers, trees, lists of objects, and the bodies that are more than a document."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from service.domain.document import check_document
from service.domain.exact_json import Json, Numeral, member_text, parse_exact, render_exact
from service.domain.json_texts import texts_of_objects
from service.domain.numerals import EXPONENT_MAX, FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX, growth, is_storable
from service.domain.parameter import read_content
from service.errors import InvalidInputError, InvalidParameterError, MalformedJsonError, UnacceptableDocumentError
from tests.fuzz.target import Target

_DEPTH = 8


def document(data: bytes) -> None:
    """JSON is decided as by Python's parser; what is good can be written again, is the same then, and is good again."""
    try:
        check_document(data, max_depth=_DEPTH)
    except MalformedJsonError as error:
        assert str(error)
        assert not _python_reads(data)
        return
    except UnacceptableDocumentError as error:
        assert str(error)
        if error.pointer is not None:
            _resolve(data.decode(), error.pointer)
        return
    assert _python_reads(data)
    text = data.decode()
    tree = parse_exact(text)
    assert _depth_of(tree) <= _DEPTH
    assert all(_is_kept(number) for number in _numbers_in(tree))
    again = render_exact(tree)
    assert parse_exact(again) == tree
    start = len(text) - len(text.lstrip(" \t\r\n"))
    assert parse_exact(member_text(text, start)) == tree
    check_document(again.encode(), max_depth=_DEPTH)
    if isinstance(tree, list) and all(isinstance(each, dict) for each in tree):
        texts = texts_of_objects(text, text.index("["))
        assert [{name: parse_exact(each) for name, each in members.items()} for members in texts] == tree


def _python_reads(data: bytes) -> bool:
    """Whether this is JSON that means one thing, by a parser that is asked in another way."""

    def refuse(_: str) -> None:
        raise ValueError

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        text = data.decode()
        value = json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str, object_pairs_hook=members)
        json.dumps(value, ensure_ascii=False).encode()  # no half of a surrogate pair is written in UTF-8
    except (ValueError, RecursionError):
        return False
    return True


def _resolve(text: str, pointer: str) -> None:
    """Raises where the pointer leads nowhere."""
    value = parse_exact(text)
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step.replace("~1", "/").replace("~0", "~")]


def _depth_of(tree: Json) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else 1 + max(map(_depth_of, inner), default=0)


def _numbers_in(tree: Json) -> list[str]:
    if isinstance(tree, Numeral):
        return [tree.text]
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [number for each in inner for number in _numbers_in(each)]


def _is_kept(number: str) -> bool:
    """Whether PostgreSQL's numeric keeps a number: counted on the number itself, its exponent applied."""
    mantissa, _, exponent = number.lower().partition("e")
    digits = exponent.lstrip("+-").lstrip("0") or "0"
    shift = int(exponent[:1].strip("+0123456789") + digits) if len(digits) < 9 else 10**9
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    fits = len(whole) + shift <= INTEGER_DIGITS_MAX and len(fraction) - shift <= FRACTION_DIGITS_MAX
    return abs(shift) <= EXPONENT_MAX and fits


def number(data: bytes) -> None:
    """The text of one number, in which zeros stand for themselves and `#` for four thousand of them."""
    text = data.replace(b"#", b"0" * 4_000)
    if len(text) > 200_000:
        return
    try:
        Decimal(json.loads(text, parse_int=str, parse_float=str, parse_constant=lambda _: None))
    except (ValueError, TypeError, InvalidOperation):
        return
    written = text.decode().strip(" \t\r\n")
    if written.startswith('"'):
        return
    assert is_storable(text) is _is_kept(written)
    if is_storable(text):
        exponent = written.lower().partition("e")[2]
        assert growth(text) == int(exponent.lstrip("+-").lstrip("0") or "0")


def parameter(data: bytes) -> None:
    """A body that is taken is stored as one that is taken, and says the same."""
    with suppress(InvalidInputError):
        check_document(data, max_depth=_DEPTH)
        with suppress(InvalidParameterError):
            content = read_content(data.decode(), key="app:x", ttl_seconds_max=86_400.0)
            check_document(content.stored.encode(), max_depth=_DEPTH)
            assert read_content(content.stored, key="app:x", ttl_seconds_max=86_400.0) == content


_JSON = (
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b'"',
        b"\\",
        b'"a"',
        b'{"a":1}',
        b"[1]",
        b'"\\\\"',
        b'"\\""',
        b"true",
        b"null",
    ),
    *(b"1", b"-", b".5", b"e1", b"00", b" ", b"\n", b"\x01", "é".encode(), b"\xef\xbb\xbf", b"\\u", b"\\u0000"),
    *(b"\\ud83d", b"\\ude00", b"NaN", b"Infinity", b"1e6176", b"1e-6177", b'"a":1,"a":2', b"\xed\xa0\x80"),
)
_PARAMETERS = (
    b'{"type": "integer", "value": 5, "ttl_seconds": 1e2}',
    b'{"type": "number", "value": -0.0e5, "description": "x"}',
    b'{"type": "duration", "value": "P1DT2H3M4.5S"}',
    b'{"type": "datetime", "value": "2026-11-20T09:00:00.5+09:00"}',
    b'{"type": "json", "value": [1.50], "schema": {"$ref": "#/$defs/a", "$defs": {"a": true}}}',
    b'{"type": "string", "value": "\\u00e9", "key": "app:x", "version": 7}',
    b'{"type": "boolean", "value": true, "schema": false}',
)
TARGETS = (
    Target(
        "document",
        document,
        (b'{"name": "Japan", "area": 377975.24, "more": [1e3, true, null, "\\ud83d\\ude00"]}', b'[{"a":1},{"a":[{}]}]'),
        _JSON,
    ),
    Target(
        "number", number, (b"-1.50e+3", b"0", b"#.#e-6176", b"1####E0007"), (b"#", b"e", b"-", b".", b"6176", b"00")
    ),
    Target("parameter", parameter, _PARAMETERS, (*_JSON, b'"type"', b'"value"', b'"ttl_seconds"', b'"$ref"')),
)
