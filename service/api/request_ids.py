"""Gives each request an id: the client's own where it is harmless to repeat, otherwise a new one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from starlette.types import Scope

REQUEST_ID_HEADER = "X-Request-Id"
_ACCEPTABLE = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_SCOPE_KEY = "aside.request_id"


def assign_request_id(scope: Scope) -> bytes:
    """Choose the id and note it in ``scope``, where the handlers of errors find it."""
    request_id = _offered(scope["headers"]) or os.urandom(12).hex().encode()
    scope[_SCOPE_KEY] = request_id.decode("ascii")
    return request_id


def request_id_of(scope: Scope) -> str:
    request_id: str = scope.get(_SCOPE_KEY, "")
    return request_id


def _offered(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    for name, value in headers:
        if name == b"x-request-id":
            return value if _ACCEPTABLE.fullmatch(value) else None
    return None
