"""The PUT that is nearly every write, answered before the framework: a document for an entity, and nothing asked for.

As `hot_reads` and `hot_batches` do, it does what the ordinary route does for the same request, out of the same parts,
and sends the same bytes. What has a condition, a key to repeat it, a lifetime, or is refused for what it says, goes on
to that route, with all that was read of its body. What was begun is never handed on: it would be done twice.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.answers import JSON, written_response
from service.api.hot_answers import message_of
from service.api.hot_bodies import once_more, read_whole
from service.api.hot_targets import ENTITY_ROUTE, PATH
from service.api.middleware import RequestRecorder
from service.api.names import location
from service.api.problems import error_response, internal_response
from service.api.request_ids import REQUEST_ID_HEADER, assign_request_id
from service.api.state import Limits
from service.domain.document import check_document
from service.domain.entity import ALWAYS, EntityKey, WriteCondition
from service.domain.parameter import PARAMETER
from service.errors import AsideError, InvalidInputError
from service.services.writing import Written

_ASKS_MORE = frozenset((
    *(b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"idempotency-key", b"prefer"),
    *(b"content-encoding", b"expect"),
))  # fmt: skip
_JSON = JSON.encode()
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()


class EntityWriter(Protocol):
    async def put(
        self, key: EntityKey, document: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool
    ) -> Written: ...


class Access(Protocol):
    def may_write(self, authorization: bytes, entity_type: str) -> bool:
        """Whether it is certain."""


class _Target(NamedTuple):
    key: EntityKey
    authorization: bytes


class HotWrites:
    """Stands before ``ordinary`` and passes on what is not its own: everything, before it is attached to services."""

    def __init__(self, ordinary: ASGIApp, recorder: RequestRecorder, limits: Limits) -> None:
        self._ordinary = ordinary
        self._recorder = recorder
        self._limits = limits
        self._entities: EntityWriter | None = None
        self._access: Access | None = None

    def attach(self, entities: EntityWriter | None, access: Access | None = None) -> None:
        """With ``access`` only what it allows for certain is written here, and its body read."""
        self._entities, self._access = entities, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        entities = self._entities
        target = None if entities is None else _target(scope, self._limits.body_bytes)
        if entities is None or target is None or not self._is_allowed(target):
            await self._ordinary(scope, receive, send)
            return
        received: list[Message] = []
        document = await read_whole(receive, received, self._limits.body_bytes)
        if document is None or not self._is_acceptable(document):
            await self._ordinary(scope, once_more(received, receive), send)
            return
        request_id, status = assign_request_id(scope), 500
        try:
            start, body = message_of(await _written(entities, target.key, document, Request(scope)))
            status = start["status"]
            start["headers"].append((_REQUEST_ID, request_id))
        except Exception:  # as the framework does: an answer, and the server logs the trace
            for message in message_of(internal_response(Request(scope))):
                await send(message)
            raise
        finally:
            self._recorder.request("PUT", ENTITY_ROUTE, status, perf_counter() - started)
        await send(start)
        await send(body)

    def _is_allowed(self, target: _Target) -> bool:
        return self._access is None or self._access.may_write(target.authorization, target.key.entity_type)

    def _is_acceptable(self, document: bytes) -> bool:
        try:
            check_document(document, max_depth=self._limits.json_depth)
        except InvalidInputError:
            return False  # the ordinary route says why
        return True


async def _written(entities: EntityWriter, key: EntityKey, document: bytes, request: Request) -> Response:
    try:
        written = await entities.put(key, document, condition=ALWAYS, ttl_seconds=None, wait=True)
    except AsideError as error:
        return error_response(request, error)
    return written_response(written, location(key), waited=True)


def _target(scope: Scope, limit_bytes: int) -> _Target | None:
    """What is written, where the request says nothing but what; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "PUT" or scope["query_string"] or scope.get("root_path"):
        return None
    match = PATH.fullmatch(scope["path"])
    if match is None or match[1] is None or match[1] == PARAMETER:
        return None
    is_json, keys = False, []
    for name, value in scope["headers"]:
        if name in _ASKS_MORE or (name == b"content-length" and value.isdigit() and int(value[:20]) > limit_bytes):
            return None
        if name == b"content-type":
            if value != _JSON:
                return None
            is_json = True
        elif name == b"authorization":
            keys.append(value)
    if not is_json or len(keys) > 1:
        return None
    return _Target(EntityKey(match[1], match[2]), keys[0] if keys else b"")
