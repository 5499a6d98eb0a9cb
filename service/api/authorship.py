"""Reads who writes and why: Aside-Actor and Aside-Reason. What they say is kept as it is said; nobody has proved it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from service.domain.parameter import Authorship
from service.errors import InvalidInputError

ACTOR_CHARACTERS_MAX = 200
REASON_CHARACTERS_MAX = 1_000


def read_authorship(headers: Mapping[str, str]) -> Authorship:
    """Raises `InvalidInputError` for a text that is too long, or that is no printable text."""
    return Authorship(
        actor=_text(headers, "Aside-Actor", ACTOR_CHARACTERS_MAX),
        reason=_text(headers, "Aside-Reason", REASON_CHARACTERS_MAX),
    )


def _text(headers: Mapping[str, str], name: str, longest: int) -> str | None:
    sent = headers.get(name)
    if sent is None:
        return None
    if not sent.isascii():
        raise InvalidInputError(f"{name} must be ASCII; other characters are sent as %-encoded UTF-8", pointer=name)
    try:
        text = unquote(sent, errors="strict").strip(" ")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{name} must be UTF-8 where it is %-encoded", pointer=name) from None
    if len(text) > longest:
        raise InvalidInputError(f"{name} must not be longer than {longest} characters", pointer=name)
    if not text.isprintable():
        raise InvalidInputError(f"{name} must be printable", pointer=name)
    return text or None
