"""Which of JSON's numbers PostgreSQL's `numeric` keeps, and how long they get there. Text only, nothing is converted.

Everything here takes *bare* JSON: the text without its strings, so that a digit is a digit of a number.
"""

from __future__ import annotations

import re

INTEGER_DIGITS_MAX = 131_072
"""PostgreSQL keeps up to this many digits before the decimal point of a numeric."""

FRACTION_DIGITS_MAX = 16_383
"""And up to this many after it; zeros at the end count, for numeric keeps them."""

EXPONENT_MAX = 6_176
"""The largest exponent, either way, that a number may be written with: decimal128's, well beyond a double's 324."""

GROWTH_ALLOWANCE = 65_536
"""What all exponents of a document may add up to, signs dropped, on top of the document's own length in bytes.

`1e6000` is 6 bytes that PostgreSQL writes out as 6,001, in every answer. Writing a number out adds at most its exponent
and two characters, so this keeps a document below about twice its length plus 64 KiB; measured data, 6.02e23 or 1e-300,
passes in any realistic amount.
"""

_LONG_RUN = b"0" * 4_096
"""Shorter runs of digits reach no limit, with any exponent allowed: 4,096 + 6,176 < 16,383."""

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_EXPONENT = re.compile(rb"[eE][+-]?0*+([0-9]++)")
_NUMERAL = re.compile(rb"([0-9]++)(?:\.([0-9]++))?+(?:[eE]([+-]?)0*+([0-9]++))?+")


def is_storable(bare: bytes) -> bool:
    """Whether every number fits into PostgreSQL's numeric and no exponent exceeds `EXPONENT_MAX`."""
    if any(len(digits) > 4 or int(digits) > EXPONENT_MAX for digits in _exponents(bare)):
        return False
    if _LONG_RUN not in bare.translate(_DIGITS_TO_ZERO):
        return True
    return all(_fits(match) for match in _NUMERAL.finditer(bare) if match.end() - match.start() >= len(_LONG_RUN))


def growth(bare: bytes) -> int:
    """The sum of all exponents, signs dropped, of storable numbers; see `GROWTH_ALLOWANCE`."""
    return sum(map(int, _exponents(bare)))


def _exponents(bare: bytes) -> list[bytes]:
    # Counting is far cheaper than searching, and most documents have no exponent at all.
    letters = bare.count(b"e") + bare.count(b"E")
    if letters == bare.count(b"true") + bare.count(b"false"):
        return []
    return _EXPONENT.findall(bare)


def _fits(match: re.Match[bytes]) -> bool:
    whole, fraction, sign, exponent = match.groups(default=b"")
    shift = int(sign + (exponent or b"0"))
    return len(whole) + shift <= INTEGER_DIGITS_MAX and len(fraction) - shift <= FRACTION_DIGITS_MAX
