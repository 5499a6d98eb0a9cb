"""Moments: RFC 3339 with an offset in, UTC out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


def parse_moment(text: str) -> datetime:
    """`2026-11-20T09:00:00+09:00`, exact to the microsecond, in UTC. Raises ValueError.

    Not taken: a moment without an offset (nobody knows which one it is), second 60, more than six digits of a second.
    """
    if _MOMENT.fullmatch(text) is None:
        raise ValueError("must be an RFC 3339 date-time with an offset, such as 2026-11-20T08:00:00Z")
    whole, dot, rest = text.upper().partition(".")
    if dot:
        digits = rest.rstrip("Z").partition("+")[0].partition("-")[0]
        text = f"{whole}.{digits.ljust(6, '0')}{rest[len(digits) :]}"  # Python takes three digits or six
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a moment that exists, in the years 1 to 9999 of UTC") from error


def render_moment(value: datetime) -> str:
    """The one way in which this moment is stored: in UTC, with `Z`, and no more digits of a second than it has."""
    utc = value.astimezone(UTC)
    fraction = f".{utc.microsecond:06}".rstrip("0") if utc.microsecond else ""
    return f"{utc.replace(microsecond=0, tzinfo=None).isoformat()}{fraction}Z"
