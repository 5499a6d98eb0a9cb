"""The text of an API key: `aside_live_<id>_<secret>_<check>`, in Crockford's alphabet. Pure: chance is an argument.

The check tells a key that was mistyped or cut off from a wrong one, without a look at what is stored. Kept is the
SHA-256 of the whole text, without salt or stretching: 160 bits of chance are in no dictionary, and cannot be tried.
"""

from __future__ import annotations

import re
import zlib
from hashlib import sha256

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""32 signs, none of which looks like another one."""
ID_LENGTH, SECRET_LENGTH, _CHECK_LENGTH = 12, 32, 7
PREFIX = "aside_live_"
_SIGN = f"[{ALPHABET}]"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
"""What a key is called: one word, so that what follows it in an actor's name is not of it."""
ID_PATTERN = rf"^{_SIGN}{{{ID_LENGTH}}}$"
_KEY = re.compile(rf"({PREFIX}({_SIGN}{{{ID_LENGTH}}})_{_SIGN}{{{SECRET_LENGTH}}}_)({_SIGN}{{{_CHECK_LENGTH}}})")

LEAKED = re.compile(rf"({PREFIX}{_SIGN}{{{ID_LENGTH}}}_){_SIGN}{{{SECRET_LENGTH}}}(?:_{_SIGN}{{{_CHECK_LENGTH}}})?")
"""A key inside any text, whole or without its check; the first group has its id, which is no secret."""

LENGTH = len(PREFIX) + ID_LENGTH + SECRET_LENGTH + _CHECK_LENGTH + 2


def compose_key(key_id: str, secret: str) -> str:
    """The whole text. ``key_id`` and ``secret`` are drawn from `ALPHABET`."""
    body = f"{PREFIX}{key_id}_{secret}_"
    return body + _check_of(body)


def id_in_key(text: str) -> str | None:
    """The id in a key that is written as one; None for every other text."""
    match = _KEY.fullmatch(text)
    return match[2] if match is not None and match[3] == _check_of(match[1]) else None


def digest_of(text: bytes) -> bytes:
    """What is stored of a key, and what it is found by: 32 bytes."""
    return sha256(text).digest()


def _check_of(body: str) -> str:
    """A CRC-32 in seven signs. It protects from slips, not from people."""
    number, signs = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        signs = ALPHABET[place] + signs
    return signs
