"""Reads `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07), and says for which request it stands."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.requests import Request

from service.api.guarding import principal_of
from service.domain.repeatable import Repeatable, digest_of
from service.errors import InvalidInputError

KEY_HEADER = "Idempotency-Key"
KEY_CHARACTERS_MAX = 255

_WHAT_IS_WRITTEN = ("content-type", "if-match", "if-none-match", "aside-actor", "aside-reason")
"""Headers that have a say in it. `Prefer` has none: how long one waits for the cache, each attempt says for itself."""

_STRING = r'"(?:[ !#-\[\]-~]|\\["\\])*+"'
_ITEM = re.compile(
    rf"""\ *+(?P<string>{_STRING})
         (?:;\ *+[a-z*][a-z0-9_.*-]*+                                # parameters: nothing is known of any
            (?:=(?:{_STRING} | -?[0-9]{{1,15}}(?:\.[0-9]{{1,3}})? | [A-Za-z*][!\#-'*+.^-z|~0-9A-Z:/-]*+
                  | :[A-Za-z0-9+/=]*+: | \?[01]))?
         )*+\ *+""",
    re.VERBOSE,
)
"""A String of RFC 8941, section 3.3.3, as an Item."""


def read_key(headers: Headers) -> str | None:
    """The key without its quotation marks; None where there is none. Raises InvalidInputError."""
    sent = headers.getlist(KEY_HEADER)
    if not sent:
        return None
    item = _ITEM.fullmatch(sent[0]) if len(sent) == 1 else None
    if item is None:
        raise _malformed('must be one string in quotation marks, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"')
    key = re.sub(r"\\(.)", r"\1", item["string"][1:-1])
    if not 0 < len(key) <= KEY_CHARACTERS_MAX:
        raise _malformed(f"must have 1 to {KEY_CHARACTERS_MAX} characters")
    return key


def repeatable(request: Request, key: str | None, body: bytes = b"") -> Repeatable | None:
    """The request by its key; None where it has none. Its path counts as it is understood, the rest as it was sent."""
    if key is None:
        return None
    principal = principal_of(request)
    scope, headers = request.scope, request.headers
    said = [_lines(headers, name) for name in _WHAT_IS_WRITTEN]
    digest = digest_of(request.method.encode(), scope["path"].encode(), scope["query_string"], *said, body)
    return Repeatable("" if principal is None else principal.name, key, digest)


def _lines(headers: Headers, name: str) -> bytes | None:
    lines = headers.getlist(name)
    return ", ".join(lines).encode("latin-1") if lines else None


def _malformed(detail: str) -> InvalidInputError:
    return InvalidInputError(f"{KEY_HEADER} {detail}", pointer=KEY_HEADER)
