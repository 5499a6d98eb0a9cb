"""Says where in a JSON text a known fault lies, as a JSON Pointer (RFC 6901). Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from service.domain.numerals import is_storable

LOCATED_CHARACTERS_MAX = 65_536
"""In a longer text nothing is looked for: the walk is Python, and a large bad body must not buy much of its time."""


class _Numeral(str):
    """A number, as it was written."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """An object with all its members, those of the same name too."""

    __slots__ = ()


_PARSER = json.JSONDecoder(parse_int=_Numeral, parse_float=_Numeral, object_pairs_hook=_Members)


def locate_repeated_name(text: str) -> str | None:
    """The member whose name had been given before, in the same object.

    None in a text too long to search, and in one that is no JSON behind that object: nobody has read so far yet.
    """
    with suppress(json.JSONDecodeError):
        for pointer, value in _walk(text):
            if isinstance(value, _Members):
                names: set[str] = set()
                for name, _ in value:
                    if name in names:
                        return f"{pointer}/{_escaped(name)}"
                    names.add(name)
    return None


def locate_string(text: str, is_faulty: Callable[[str], bool]) -> str | None:
    """The first value that is a faulty string, or the object with a faulty name."""
    for pointer, value in _walk(text):
        if isinstance(value, _Members):
            faulty = any(is_faulty(name) for name, _ in value)
        else:
            faulty = isinstance(value, str) and not isinstance(value, _Numeral) and is_faulty(value)
        if faulty:
            return pointer
    return None


def locate_unstorable_number(text: str) -> str | None:
    """The first number that PostgreSQL could not keep."""
    for pointer, value in _walk(text):
        if isinstance(value, _Numeral) and not is_storable(value.encode("ascii")):
            return pointer
    return None


def _walk(text: str) -> Iterator[tuple[str, Any]]:
    """Every value with its pointer, in the order of the text."""
    waiting: list[tuple[str, Any]] = [] if len(text) > LOCATED_CHARACTERS_MAX else [("", _PARSER.decode(text))]
    while waiting:
        pointer, value = waiting.pop()
        yield pointer, value
        if isinstance(value, _Members):
            waiting.extend((f"{pointer}/{_escaped(name)}", member) for name, member in reversed(value))
        elif isinstance(value, list):
            waiting.extend((f"{pointer}/{i}", value[i]) for i in range(len(value) - 1, -1, -1))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
