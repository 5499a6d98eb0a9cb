"""Reads who writes and why. The key says who; Aside-Actor and Aside-Reason are kept as they are said: nobody has
proved them. A service that writes for several people has one key, and says for whom: `shop (as said: ann)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from starlette.requests import Request

from service.api.guarding import principal_of
from service.domain.parameter import Authorship
from service.errors import InvalidInputError

ACTOR_CHARACTERS_MAX = 200
REASON_CHARACTERS_MAX = 1_000


def read_authorship(request: Request) -> Authorship:
    """Raises `InvalidInputError` for a text that is too long, or that is no printable text."""
    principal = principal_of(request)
    said = _text(request.headers, "Aside-Actor", ACTOR_CHARACTERS_MAX)
    return Authorship(
        actor=said if principal is None else _proven(principal.name, said),
        reason=_text(request.headers, "Aside-Reason", REASON_CHARACTERS_MAX),
    )


def _proven(name: str, said: str | None) -> str:
    """A name has no space in it: what comes before the first one is always the key's."""
    return name if said is None else f"{name} (as said: {said})"


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
