"""The answers to what is refused before anything is looked up: 503 `overloaded`, 429 `rate-limited`. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

from starlette.types import Message, Scope

from service.api.bare_problems import bare_fields
from service.api.problem_kinds import OVERLOADED, RATE_LIMITED, ProblemKind
from service.api.request_ids import chosen_request_id
from service.domain.shedding import Work

_POLICY = "client"
"""The one policy that there is, by the name that both fields use."""


SLOWED_SECONDS = 0.2
"""How long a client that sends too much waits to be told: one that asks again at once cannot spin."""


class Refusal(NamedTuple):
    """A whole answer, to be sent after ``wait_seconds``."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes
    wait_seconds: float

    @property
    def head(self) -> bytes:
        return b"".join([b"%b: %b\r\n" % field for field in self.fields])

    @property
    def messages(self) -> tuple[Message, Message]:
        start = {"type": "http.response.start", "status": self.status, "headers": self.fields}
        return start, {"type": "http.response.body", "body": self.body}


def overloaded(scope: Scope, work: Work) -> Refusal:
    detail = f"what matters more than this ({work.value}) comes first; try again"
    return _refusal(scope, OVERLOADED, detail, {"retry-after": "1"}, wait_seconds=0.0)


def rate_limited(scope: Scope, *, wait_seconds: float, rate: float, burst: float, told_after_seconds: float) -> Refusal:
    """With the fields of draft-ietf-httpapi-ratelimit-headers-10: `q` requests in `w` seconds, `r` left, `t` until
    there are more.
    """
    wait = max(1, math.ceil(wait_seconds))
    window = max(1, round(burst / rate))
    fields = {
        "retry-after": str(wait),
        "ratelimit-policy": f'"{_POLICY}";q={max(1, round(rate * window))};w={window}',
        "ratelimit": f'"{_POLICY}";r=0;t={wait}',
    }
    detail = f"a client may send {rate:g} requests per second, {burst:g} at once after a pause"
    return _refusal(scope, RATE_LIMITED, detail, fields, wait_seconds=told_after_seconds)


def _refusal(scope: Scope, kind: ProblemKind, detail: str, fields: dict[str, str], *, wait_seconds: float) -> Refusal:
    offered = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    path = (scope.get("raw_path") or b"").decode("latin-1").partition("?")[0]
    named, body = bare_fields(
        kind, detail=detail, path=path, headers=fields, request_id=chosen_request_id(offered).decode("ascii")
    )
    rendered = [(name.encode(), value.encode()) for name, value in named.items()]
    return Refusal(kind.status, rendered, body, wait_seconds)
