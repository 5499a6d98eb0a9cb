"""What is fuzzed: a function that takes any bytes, and raises where a property does not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Target(NamedTuple):
    """``seeds`` are real inputs to begin with, ``words`` what is worth putting in anywhere."""

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


SEPARATOR = b"\0"


def parts_of(data: bytes, count: int) -> list[bytes]:
    """So many parts of an input. Only the last may have a zero byte in it; those that are missing are empty."""
    found = data.split(SEPARATOR, count - 1)
    return found + [b""] * (count - len(found))


def joined(*parts: bytes | str | int) -> bytes:
    """The input that has these parts."""
    return SEPARATOR.join(part if isinstance(part, bytes) else str(part).encode() for part in parts)


def number_in(part: bytes, least: int, most: int) -> int:
    """The number that a part writes in digits, folded into a range."""
    digits = bytes(sign for sign in part if sign in b"0123456789")[:20]
    number = int(digits or b"0")
    return number if least <= number <= most else least + number % (most - least + 1)
