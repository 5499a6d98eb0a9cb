"""Durations: ISO 8601, days and shorter. A month has no fixed length, so there are no months and no years."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,12})(?:\.(?P<fraction>[0-9]{1,6}))?S)?)?"
    r"|P(?P<weeks>[0-9]{1,8})W"
)
LONGEST = timedelta(days=999_999_999)


def parse_duration(text: str) -> timedelta:
    """`P1DT12H`, `PT0.25S`, `P2W`: exact to the microsecond, never negative. Raises ValueError.

    A day is 24 hours and a week is 7 days, for a duration knows no calendar.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("must be an ISO 8601 duration of days and shorter, such as PT1H30M, P2D or PT0.25S")
    parts = {name: int(digits) for name, digits in found.groupdict(default="0").items() if name != "fraction"}
    micros = int((found["fraction"] or "0").ljust(6, "0"))
    seconds = parts["seconds"] + 60 * (parts["minutes"] + 60 * parts["hours"])
    days = parts["days"] + 7 * parts["weeks"]
    if days + seconds // 86_400 > LONGEST.days:
        raise ValueError(f"must not be longer than {LONGEST.days} days")
    return timedelta(days=days, seconds=seconds, microseconds=micros)


def render_duration(value: timedelta) -> str:
    """The one way in which this duration is stored: the largest units first, none of them 0; `PT0S` for nothing."""
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{value.days}D" if value.days else ""
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    if seconds or fraction:
        time += f"{seconds}{fraction}S"
    if time:
        return f"P{days}T{time}"
    return f"P{days}" if days else "PT0S"
