"""Gives each request an id: the client's own where it is harmless to repeat, otherwise a new one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from contextvars import ContextVar

from starlette.types import Scope
from structlog.contextvars import STRUCTLOG_KEY_PREFIX

REQUEST_ID_HEADER = "X-Request-Id"
_ACCEPTABLE = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_SCOPE_KEY = "aside.request_id"
_in_log_lines: ContextVar[str] = ContextVar(STRUCTLOG_KEY_PREFIX + "request_id")
"""What `bind_contextvars(request_id=…)` would set, at a tenth of the cost."""


def assign_request_id(scope: Scope) -> bytes:
    """Choose the id and note it in ``scope``, where the handlers of errors find it, and for the log.

    In the log it stays: a server runs each request in a context of its own, and after an unhandled error it logs the
    trace when the request's frames are long gone; that line needs the id most.
    """
    request_id = chosen_request_id(_offered(scope["headers"]))
    note_request_id(scope, request_id)
    _in_log_lines.set(request_id_of(scope))
    return request_id


def note_request_id(scope: Scope, request_id: bytes) -> None:
    """Note it in ``scope`` alone: what is answered by a callback has no log lines of its own."""
    scope[_SCOPE_KEY] = request_id.decode("ascii")


def chosen_request_id(offered: bytes) -> bytes:
    """The id that a client offers, where it is acceptable, otherwise a new one. Empty: it offers none."""
    if offered and _ACCEPTABLE.fullmatch(offered):
        return offered
    return b"%024x" % random.getrandbits(96)


def request_id_of(scope: Scope) -> str:
    request_id: str = scope.get(_SCOPE_KEY, "")
    return request_id


def _offered(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The first, if there are several."""
    for name, value in headers:
        if name == b"x-request-id":
            return value
    return b""
