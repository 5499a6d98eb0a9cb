"""The types of parameters: which JSON is a value of which type, and how a value is written. Strict in both directions.

Nothing is coerced: `"1"` is no integer, `true` is no number, `1.0` and `1e2` are no integers, however they count.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Context, Decimal, DecimalException
from enum import StrEnum
from typing import assert_never

from service.domain.durations import parse_duration, render_duration
from service.domain.exact_json import Json, Numeral
from service.domain.moments import parse_moment, render_moment


class ParameterType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    DURATION = "duration"
    DATETIME = "datetime"


DIGITS_MAX = 4_000
"""An integer or a number with more digits is refused; up to here every digit is kept."""

Value = str | int | Decimal | bool | timedelta | datetime | Json

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_EXACT = Context(prec=DIGITS_MAX * 4, Emax=999_999, Emin=-999_999)


def parse_value(kind: ParameterType, value: Json) -> Value:
    """What a JSON value means as a value of this type. Raises ValueError, whose text says what it must be."""
    match kind:
        case ParameterType.STRING:
            if isinstance(value, str):
                return value
            raise ValueError("must be a string")
        case ParameterType.INTEGER:
            if isinstance(value, Numeral) and _INTEGER.fullmatch(value.text):
                return int(_bounded(value.text))
            raise ValueError("must be an integer, written with digits alone")
        case ParameterType.NUMBER:
            if isinstance(value, Numeral):
                return _decimal(value.text)
            raise ValueError("must be a number")
        case ParameterType.BOOLEAN:
            if isinstance(value, bool):
                return value
            raise ValueError("must be true or false")
        case ParameterType.JSON:
            return value
        case ParameterType.DURATION:
            return parse_duration(_text(value, "a duration"))
        case ParameterType.DATETIME:
            return parse_moment(_text(value, "a date-time"))
        case _:
            assert_never(kind)


def render_value(kind: ParameterType, value: Value) -> Json:
    """The JSON by which a value of this type is stored and served; parsing it gives the same value."""
    match kind:
        case ParameterType.INTEGER:
            return Numeral(str(value))
        case ParameterType.NUMBER:
            assert isinstance(value, Decimal)
            return Numeral(format(value, "f").removeprefix("-") if value.is_zero() else format(value, "f"))
        case ParameterType.DURATION:
            assert isinstance(value, timedelta)
            return render_duration(value)
        case ParameterType.DATETIME:
            assert isinstance(value, datetime)
            return render_moment(value)
        case ParameterType.STRING | ParameterType.BOOLEAN | ParameterType.JSON:
            return value
        case _:
            assert_never(kind)


def _decimal(text: str) -> Decimal:
    try:
        value = _EXACT.create_decimal(_bounded(text))
    except DecimalException as error:
        raise ValueError("must be a number that can be kept exactly") from error
    if abs(value.adjusted()) > DIGITS_MAX:
        raise ValueError(f"must not be written out with more than {DIGITS_MAX} digits")
    return value


def _bounded(text: str) -> str:
    if len(text.removeprefix("-")) > DIGITS_MAX:
        raise ValueError(f"must not have more than {DIGITS_MAX} digits")
    return text


def _text(value: Json, what: str) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"must be a string that holds {what}")
