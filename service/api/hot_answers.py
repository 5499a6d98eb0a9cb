"""The answers of the hot reads: the bytes, or the messages, that the ordinary routes would send."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from service.api.answers import FROM_CACHE, JSON, cache_status, entity_response, http_date, provenance, server_timing
from service.api.conditions import UNCONDITIONAL, ReadCondition, TagList
from service.api.hot_targets import Target
from service.api.problem_kinds import BY_ERROR
from service.api.problems import problem_response
from service.cache.entry import Answer
from service.errors import NotFoundError

_HEAD = b'etag: "%d"\r\nlast-modified: %b\r\ncache-control: no-cache\r\ncache-status: %b\r\n%b%b%bx-request-id: %b\r\n'
_HIT = b"aside; hit; ttl=%d"
_AGE = b"age: %d\r\n"
_TIMING = b"server-timing: %b\r\n"
_CACHE_TIMING = b"server-timing: cache;dur=%.2f\r\n"
_CONTENT = b"content-length: %d\r\ncontent-type: " + JSON.encode() + b"\r\n"


def hit_head(answer: Answer, length: int | None, request_id: bytes) -> bytes:
    """The header lines of a plain hit, as `entity_response` makes them, in the same order; ``length`` None for a 304.

    Nothing in them comes from outside but the request id, which was checked.
    """
    return _HEAD % (
        answer.version,
        http_date(answer.modified_at_ms).encode(),
        _HIT % (answer.ttl_ms // 1000),
        _AGE % (max(0, answer.age_ms) // 1000),
        _CACHE_TIMING % answer.cache_ms if answer.cache_ms > 0 else b"",
        b"" if length is None else _CONTENT % length,
        request_id,
    )


def answered_head(answer: Answer, length: int, request_id: bytes) -> bytes:
    """The same for any answer with a body."""
    timing = server_timing(answer)
    return _HEAD % (
        answer.version,
        http_date(answer.modified_at_ms).encode(),
        cache_status(answer).encode(),
        _AGE % (max(0, answer.age_ms) // 1000) if answer.outcome in FROM_CACHE else b"",
        _TIMING % timing.encode() if timing else b"",
        _CONTENT % length,
        request_id,
    )


def response_head(response: Response, request_id: bytes) -> bytes:
    """The header lines of a response that the ordinary parts made."""
    headers = (*response.raw_headers, (b"x-request-id", request_id))
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def response_to(request: Request, answer: Answer, target: Target) -> Response:
    """By the ordinary parts: what is rare, or goes out through a server that takes messages only."""
    if answer.body is None:
        detail = f"there is no {target.described}"
        return problem_response(request, BY_ERROR[NotFoundError], detail=detail, headers=provenance(answer))
    version = target.known_version
    condition = UNCONDITIONAL
    if version:
        condition = ReadCondition(if_none_match=TagList(frozenset((version,)), frozenset((version,))))
    return entity_response(answer, answer.body, condition)


def message_of(response: Response) -> tuple[Message, Message]:
    """A response as ASGI sends it."""
    start = {"type": "http.response.start", "status": response.status_code, "headers": list(response.raw_headers)}
    return start, {"type": "http.response.body", "body": response.body}
