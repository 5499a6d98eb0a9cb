"""What makes a request the same as an earlier one: its client, the key that this gave it, and what it asks for."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple


class Repeatable(NamedTuple):
    """A request that its client may send again.

    ``client`` is the name of the API key that it came with, empty where nobody is asked for one; a name, because a key
    that is rotated between two attempts stands for the same client. ``key`` is the client's own word for the request,
    ``digest`` a SHA-256 of what it asks for.
    """

    client: str
    key: str
    digest: bytes


def digest_of(*parts: bytes | None) -> bytes:
    """Of different parts a different one: each stands behind its length, and what is not there (None) is not empty."""
    digest = sha256()
    for part in parts:
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.digest()
