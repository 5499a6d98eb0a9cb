"""Moments and durations: what is taken is exact, and is rendered in one way."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from service.domain.durations import LONGEST, parse_duration, render_duration
from service.domain.moments import parse_moment, render_moment
from tests.fuzz.target import Target

_PIECES = re.compile(r"([0-9]+)(?:\.([0-9]+))?([WDHMS])")
_SECONDS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}


def moment(data: bytes) -> None:
    """A moment is refused, or the one that its fields add up to."""
    text = data.decode(errors="replace")
    try:
        found = parse_moment(text)
    except ValueError as error:
        assert str(error).startswith("must be ")
        return
    rendered = render_moment(found)
    assert parse_moment(rendered) == found
    assert render_moment(parse_moment(rendered)) == rendered
    assert rendered.endswith("Z")
    whole, fraction, offset = re.fullmatch(r"(.{19})(?:\.([0-9]+))?(.+)", text.upper()).groups(default="")
    local = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    east = timedelta() if offset == "Z" else timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    micros = timedelta(microseconds=int(fraction.ljust(6, "0") or 0))
    assert found - micros == (local + east if offset[0] == "-" else local - east)


def duration(data: bytes) -> None:
    """A duration is refused, or the sum of its pieces."""
    text = data.decode(errors="replace")
    try:
        found = parse_duration(text)
    except ValueError as error:
        assert str(error).startswith("must ")
        return
    rendered = render_duration(found)
    assert parse_duration(rendered) == found
    assert render_duration(parse_duration(rendered)) == rendered
    micros = 0
    for count, fraction, unit in _PIECES.findall(text.replace("T", "T ")):
        seconds = _SECONDS[unit] if unit != "M" or "T" in text else 0
        micros += int(count) * seconds * 1_000_000 + int((fraction or "0").ljust(6, "0"))
    assert found == timedelta(microseconds=micros)
    assert timedelta() <= found
    assert found.days <= LONGEST.days


TARGETS = (
    Target(
        "moment",
        moment,
        (b"2026-11-20T09:00:00.5+09:00", b"0001-01-01t00:00:00z", b"9999-12-31T23:59:59.999999-23:59"),
        (b"Z", b"+00:00", b"-23:59", b".", b"60", b"24", b"0229", b"0000"),
    ),
    Target(
        "duration",
        duration,
        (b"P1DT2H3M4.5S", b"P2W", b"PT0S", b"P999999999DT23H59M59.999999S"),
        (b"P", b"T", b"W", b"D", b"H", b"M", b"S", b".", b"999999999"),
    ),
)
