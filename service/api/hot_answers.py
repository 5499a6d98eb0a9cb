"""The answers of the hot reads: the bytes, or the messages, that the ordinary routes would send."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from service.api.answers import JSON, entity_response, http_date, provenance
from service.api.conditions import UNCONDITIONAL, ReadCondition, TagList
from service.api.hot_targets import Target
from service.api.problem_kinds import BY_ERROR
from service.api.problems import problem_response
from service.cache.entry import Answer
from service.errors import NotFoundError

_HEAD = (
    b'etag: "%d"\r\nlast-modified: %b\r\ncache-control: no-cache\r\ncache-status: aside; hit; ttl=%d\r\nage: %d\r\n'
    b"%b%bx-request-id: %b\r\n"
)
_TIMING = b"server-timing: cache;dur=%.2f\r\n"
_CONTENT = b"content-length: %d\r\ncontent-type: " + JSON.encode() + b"\r\n"


def hit_head(answer: Answer, length: int | None, request_id: bytes) -> bytes:
    """The header lines of a plain hit, as `entity_response` makes them, in the same order; ``length`` None for a 304.

    Nothing in them comes from outside but the request id, which was checked.
    """
    return _HEAD % (
        answer.version,
        http_date(answer.modified_at_ms).encode(),
        answer.ttl_ms // 1000,
        max(0, answer.age_ms) // 1000,
        _TIMING % answer.cache_ms if answer.cache_ms > 0 else b"",
        b"" if length is None else _CONTENT % length,
        request_id,
    )


def answered(request: Request, answer: Answer, target: Target) -> tuple[Message, Message]:
    """What is not a plain hit, or goes out through a server that takes messages only."""
    if answer.body is None:
        detail = f"there is no {target.described}"
        return messages(problem_response(request, BY_ERROR[NotFoundError], detail=detail, headers=provenance(answer)))
    version = target.known_version
    condition = UNCONDITIONAL
    if version:
        condition = ReadCondition(if_none_match=TagList(frozenset((version,)), frozenset((version,))))
    return messages(entity_response(answer, answer.body, condition))


def messages(response: Response) -> tuple[Message, Message]:
    """A response as ASGI sends it."""
    start = {"type": "http.response.start", "status": response.status_code, "headers": list(response.raw_headers)}
    return start, {"type": "http.response.body", "body": response.body}
