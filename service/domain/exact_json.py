"""JSON as a tree in which every number is still the text that was sent: nothing is rounded, nothing is coerced.

Objects are dicts, arrays are lists, strings, booleans and null are Python's own; a number is a `Numeral`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, assert_never

Json = Any
"""dict[str, Json] | list[Json] | str | bool | None | Numeral"""


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it was written. `1.50` and `1.5` are two texts, hence two numerals."""

    text: str


def parse_exact(text: str) -> Json:
    """The tree of a text that `service.domain.document.check_document` has found good."""
    return _PARSER.decode(text)


def member_text(text: str, start: int) -> str:
    """The text of the one value that begins at ``start``, exactly as it stands there."""
    _, end = _PARSER.raw_decode(text, start)
    return text[start:end]


def render_exact(value: Json) -> str:
    """The text of a tree: members in their order, numbers as they were written."""
    return "".join(_pieces(value))


def _pieces(value: Json) -> Iterator[str]:
    match value:
        case None:
            yield "null"
        case bool():
            yield "true" if value else "false"
        case str():
            yield encode_basestring(value)
        case Numeral():
            yield value.text
        case list():
            yield "["
            for index, item in enumerate(value):
                yield ", " if index else ""
                yield from _pieces(item)
            yield "]"
        case dict():
            yield "{"
            for index, (name, member) in enumerate(value.items()):
                yield f"{', ' if index else ''}{encode_basestring(name)}: "
                yield from _pieces(member)
            yield "}"
        case _:
            assert_never(value)


def pointer_to(*steps: str | int) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


_PARSER = json.JSONDecoder(parse_int=Numeral, parse_float=Numeral)
