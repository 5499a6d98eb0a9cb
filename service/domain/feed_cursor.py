"""How a place in the feed of changes is written: short, safe in a URL, and with a sum that tells a damaged one. Pure.

    1 byte: the form | 8: the mark | seen | until, after and last, if something is left | 4: CRC-32     in base64url

A set of transactions is a number, how many were open below it, and the distance from one to the next, each number in
as many bytes as it needs. With none open that is some 25 characters. It holds nothing that is secret, and nothing that
is trusted: what a reader is told is for its key to say.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from zlib import crc32

from service.domain.feed import Cursor, Rest, Seen

CURSOR_PATTERN = r"^[A-Za-z0-9_-]{20,8192}$"
_CURSOR = re.compile(CURSOR_PATTERN)
_FORM = b"\x01"
_MARK_BYTES, _SUM_BYTES = 8, 4
_LARGEST = 2**63 - 1
_NONE = "is no cursor: it was cut off, or mistyped"


def encode_cursor(cursor: Cursor) -> str:
    payload = bytearray(_FORM + bytes.fromhex(cursor.mark))
    _put_seen(payload, cursor.seen)
    if cursor.rest is not None:
        _put_seen(payload, cursor.rest.until)
        _put(payload, cursor.rest.after)
        _put(payload, cursor.rest.last)
    payload += crc32(payload).to_bytes(_SUM_BYTES, "big")
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def decode_cursor(text: str) -> Cursor:
    """Raises ValueError for what `encode_cursor` has not made."""
    if not _CURSOR.fullmatch(text):
        raise ValueError(_NONE)
    try:
        payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(_NONE) from error
    body, told = payload[:-_SUM_BYTES], payload[-_SUM_BYTES:]
    if body[:1] != _FORM or crc32(body).to_bytes(_SUM_BYTES, "big") != told:
        raise ValueError(_NONE)
    numbers = _numbers(body[1 + _MARK_BYTES :])
    try:
        seen, rest = _take_seen(numbers), None
        if (first := next(numbers, None)) is not None:
            rest = Rest(_take_seen(numbers, first), next(numbers), next(numbers))
    except StopIteration:
        raise ValueError(_NONE) from None
    cursor = Cursor(body[1 : 1 + _MARK_BYTES].hex(), seen, rest)
    if not _is_possible(cursor) or encode_cursor(cursor) != text:
        raise ValueError(_NONE)
    return cursor


def _is_possible(cursor: Cursor) -> bool:
    """Whether there can be such sets: PostgreSQL would not take others for snapshots."""
    sets = (cursor.seen,) if cursor.rest is None else (cursor.seen, cursor.rest.until)
    numbers = (0, cursor.rest.after, cursor.rest.last) if cursor.rest else (0,)
    return (
        all((seen.open or (1,))[0] > 0 for seen in sets)
        and sets[0].before <= sets[-1].before <= _LARGEST
        and max(numbers) <= _LARGEST
    )


def _put_seen(payload: bytearray, seen: Seen) -> None:
    _put(payload, seen.before)
    _put(payload, len(seen.open))
    above = seen.before
    for xid in reversed(seen.open):
        _put(payload, above - xid)
        above = xid


def _take_seen(numbers: Iterator[int], first: int | None = None) -> Seen:
    above = before = next(numbers) if first is None else first
    still_open = []
    for _ in range(next(numbers)):
        distance = next(numbers)
        above -= distance or above + 1  # twice the same: an impossible one
        still_open.append(above)
    return Seen(before, tuple(reversed(still_open)))


def _put(payload: bytearray, number: int) -> None:
    """Seven bits in each byte, the lowest first; the eighth says that more follow."""
    while number > 0x7F:
        payload.append(number & 0x7F | 0x80)
        number >>= 7
    payload.append(number)


def _numbers(payload: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError(_NONE)
