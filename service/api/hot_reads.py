"""The one GET that matters, answered before the framework: an entity, or a parameter, by its name alone.

It does what the ordinary routes do for the same request, out of the same parts, and sends the same bytes; what asks
for more (a query, a directive, a condition but for one ETag) or is named badly goes on to them. Saved is what the
framework does around an endpoint: matching, middleware, dependencies, response objects.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable
from time import perf_counter
from typing import NamedTuple, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.answers import JSON, cache_status, entity_response, etag, http_date, provenance, server_timing
from service.api.conditions import UNCONDITIONAL, ReadCondition, TagList
from service.api.middleware import RequestRecorder
from service.api.problem_kinds import BY_ERROR
from service.api.problems import error_response, problem_response
from service.api.request_ids import REQUEST_ID_HEADER, assign_request_id
from service.cache.entry import NO_WISH, Answer, Outcome, Wish
from service.domain.entity import EntityKey
from service.errors import AsideError, NotFoundError

log = structlog.get_logger(__name__)

ENTITY_ROUTE = "/v1/entities/{entity_type}/{id}"
PARAMETER_ROUTE = "/v1/parameters/{key}"

_PATH = re.compile(
    r"/v1/(?:entities/([a-z][a-z0-9_-]{0,62})|parameters)/([A-Za-z0-9][A-Za-z0-9._~:@-]{0,254})", re.ASCII
)
_ASKS_MORE = frozenset((b"aside-min-version", b"cache-control", b"if-match", b"if-modified-since"))
_ONE_TAG = re.compile(rb'"([1-9][0-9]{0,17})"')
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
_CONTENT_TYPE = (b"content-type", JSON.encode())
_ASK_AGAIN = (b"cache-control", b"no-cache")
_UNCONDITIONAL = 0


class EntityReader(Protocol):
    async def get(self, key: EntityKey, wish: Wish) -> Answer: ...


class ParameterReader(Protocol):
    async def get(self, key: str, wish: Wish) -> Answer: ...


class _Target(NamedTuple):
    """``entity_type`` None: a parameter. ``known_version`` is what the client has; 0: it does not say."""

    entity_type: str | None
    name: str
    known_version: int

    @property
    def described(self) -> str:
        return f"{self.entity_type or 'parameter'} {self.name}"


class HotReads:
    """Stands before ``ordinary`` and passes on what is not its own: everything, before it is attached to services."""

    def __init__(self, ordinary: ASGIApp, recorder: RequestRecorder) -> None:
        self.ordinary = ordinary
        self._recorder = recorder
        self._entities: EntityReader | None = None
        self._parameters: ParameterReader | None = None

    def attach(self, entities: EntityReader | None, parameters: ParameterReader | None) -> None:
        self._entities, self._parameters = entities, parameters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        target = _target(scope)
        reading = None if target is None else self._reading(target)
        if target is None or reading is None:
            await self.ordinary(scope, receive, send)
            return
        request_id = assign_request_id(scope)
        try:
            start, body = await _answered(scope, target, reading)
        except Exception:
            # Nobody thought of it. The ordinary route will most likely meet it too, and owns what is answered then.
            log.exception("hot_read_failed")
            await self.ordinary(scope, receive, send)
            return
        start["headers"].append((_REQUEST_ID, request_id))
        try:
            await send(start)
            await send(body)
        finally:
            route = ENTITY_ROUTE if target.entity_type is not None else PARAMETER_ROUTE
            self._recorder.request("GET", route, start["status"], perf_counter() - started)

    def _reading(self, target: _Target) -> Awaitable[Answer] | None:
        if target.entity_type is None:
            return None if self._parameters is None else self._parameters.get(target.name, NO_WISH)
        return (
            None if self._entities is None else self._entities.get(EntityKey(target.entity_type, target.name), NO_WISH)
        )


async def _answered(scope: Scope, target: _Target, reading: Awaitable[Answer]) -> tuple[Message, Message]:
    """The two messages of the answer; of a problem, where the reading fails as readings may."""
    try:
        answer = await reading
    except AsideError as error:
        return _messages(error_response(Request(scope), error))
    if answer.outcome is Outcome.HIT and answer.body is not None:
        return _hit(answer, answer.body, target.known_version)
    return _messages(_other_response(Request(scope), answer, target))


def _target(scope: Scope) -> _Target | None:
    """What is read, where the request says nothing but that; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"] or scope.get("root_path"):
        return None
    match = _PATH.fullmatch(scope["path"])
    if match is None:
        return None
    known_version = _known_version(scope["headers"])
    return None if known_version is None else _Target(match[1], match[2], known_version)


def _known_version(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The one version in If-None-Match, 0 without that header; None where the headers ask for more than that."""
    version = _UNCONDITIONAL
    for name, value in headers:
        if name in _ASKS_MORE:
            return None
        if name == b"if-none-match":
            tag = _ONE_TAG.fullmatch(value)
            if tag is None or version:
                return None
            version = int(tag[1])
    return version


def _hit(answer: Answer, body: bytes, known_version: int) -> tuple[Message, Message]:
    """200 or 304, as `entity_response` makes them, header by header in the same order."""
    headers = [
        (b"etag", etag(answer.version).encode()),
        (b"last-modified", http_date(answer.modified_at_ms).encode()),
        _ASK_AGAIN,
        (b"cache-status", cache_status(answer).encode()),
        (b"age", b"%d" % (max(0, answer.age_ms) // 1000)),
    ]
    timing = server_timing(answer)
    if timing:
        headers.append((b"server-timing", timing.encode()))
    if known_version == answer.version:
        return {"type": "http.response.start", "status": 304, "headers": headers}, _EMPTY
    headers += ((b"content-length", b"%d" % len(body)), _CONTENT_TYPE)
    return (
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


_EMPTY: Message = {"type": "http.response.body", "body": b""}


def _other_response(request: Request, answer: Answer, target: _Target) -> Response:
    """Not a plain hit: rare enough for the ordinary parts."""
    if answer.body is None:
        detail = f"there is no {target.described}"
        return problem_response(request, BY_ERROR[NotFoundError], detail=detail, headers=provenance(answer))
    version = target.known_version
    condition = UNCONDITIONAL
    if version:
        condition = ReadCondition(if_none_match=TagList(frozenset((version,)), frozenset((version,))))
    return entity_response(answer, answer.body, condition)


def _messages(response: Response) -> tuple[Message, Message]:
    start = {"type": "http.response.start", "status": response.status_code, "headers": list(response.raw_headers)}
    return start, {"type": "http.response.body", "body": response.body}
