"""The POST that matters, answered before the framework: a batch-read that asks for nothing but names.

As `hot_reads` does for one name, it does what the ordinary routes do for the same request, out of the same parts, and
sends the same bytes. What asks for more, or is odd in any way, goes on to them, with all that was read of its body.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple, Protocol

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.answers import JSON
from service.api.batches import Answers, Asked, BatchForm, asked_for, batch_body, is_allowed, plain_names
from service.api.entity_lists import batch_of
from service.api.hot_bodies import once_more, read_whole
from service.api.hot_reads import Access
from service.api.middleware import RequestRecorder
from service.api.parameter_lists import BATCH
from service.api.request_ids import REQUEST_ID_HEADER, assign_request_id
from service.cache.entry import NO_WISH, Wish
from service.domain.parameter import PARAMETER

log = structlog.get_logger(__name__)

ENTITIES_ROUTE = "/v1/entities/{entity_type}/batch-read"
PARAMETERS_ROUTE = "/v1/parameters/batch-read"

_PATH = re.compile(r"/v1/(?:entities/([a-z][a-z0-9_-]{0,62})|parameters)/batch-read", re.ASCII)
_ASKS_MORE = frozenset((b"aside-min-version", b"cache-control", b"content-encoding"))
_CONTENT_TYPE = (b"content-type", JSON.encode())
_ASK_AGAIN = (b"cache-control", b"no-cache")
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()


class EntitiesReader(Protocol):
    def get_many(self, entity_type: str, ids: Sequence[str], wish: Wish) -> Awaitable[Answers]: ...


class ParametersReader(Protocol):
    def get_many(self, keys: Sequence[str], wish: Wish) -> Awaitable[Answers]: ...


class _Target(NamedTuple):
    """``entity_type`` None: parameters."""

    entity_type: str | None
    form: BatchForm
    authorization: bytes

    @property
    def route(self) -> str:
        return PARAMETERS_ROUTE if self.entity_type is None else ENTITIES_ROUTE


class HotBatches:
    """Stands before ``ordinary`` and passes on what is not its own: everything, before it is attached to services."""

    def __init__(self, ordinary: ASGIApp, recorder: RequestRecorder, *, limit_bytes: int) -> None:
        self._ordinary = ordinary
        self._recorder = recorder
        self._limit_bytes = limit_bytes
        self._entities: EntitiesReader | None = None
        self._parameters: ParametersReader | None = None
        self._access: Access | None = None

    def attach(
        self, entities: EntitiesReader | None, parameters: ParametersReader | None, access: Access | None = None
    ) -> None:
        """With ``access`` only what it allows for certain is read here, before the body is."""
        self._entities, self._parameters, self._access = entities, parameters, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        target = _target(scope, self._limit_bytes)
        if target is None or not self._is_allowed(target):
            await self._ordinary(scope, receive, send)
            return
        received: list[Message] = []
        body = await read_whole(receive, received, self._limit_bytes)
        names = None if body is None else plain_names(body, target.form.asks)
        reading = None
        if names is not None and is_allowed(names, target.form):
            asked = asked_for(names)
            reading = self._reading(target, asked)
        if reading is None:
            await self._ordinary(scope, once_more(received, receive), send)
            return
        request_id = assign_request_id(scope)
        try:
            answer = batch_body(Request(scope), target.form, asked.names, await reading)
        except Exception:
            # Nobody thought of it. The ordinary route will most likely meet it too, and owns what is answered then.
            log.exception("hot_batch_failed")
            await self._ordinary(scope, once_more(received, receive), send)
            return
        headers = [_ASK_AGAIN, (b"content-length", b"%d" % len(answer)), _CONTENT_TYPE, (_REQUEST_ID, request_id)]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})
        finally:
            self._recorder.request("POST", target.route, 200, perf_counter() - started)

    def _is_allowed(self, target: _Target) -> bool:
        access = self._access
        return access is None or access.may_read(target.authorization, target.entity_type or PARAMETER)

    def _reading(self, target: _Target, asked: Asked) -> Awaitable[Answers] | None:
        if target.entity_type is None:
            return None if self._parameters is None else self._parameters.get_many(asked.possible, NO_WISH)
        if self._entities is None:
            return None
        return self._entities.get_many(target.entity_type, asked.possible, NO_WISH)


def _target(scope: Scope, limit_bytes: int) -> _Target | None:
    """What is read, where the request says nothing but names; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"] or scope.get("root_path"):
        return None
    match = _PATH.fullmatch(scope["path"])
    if match is None or not _is_plain(scope["headers"], limit_bytes):
        return None
    keys = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(keys) > 1:
        return None
    entity_type: str | None = match[1]
    form = BATCH if entity_type is None else batch_of(entity_type)
    return _Target(entity_type, form, keys[0] if keys else b"")


def _is_plain(headers: Iterable[tuple[bytes, bytes]], limit_bytes: int) -> bool:
    """Whether the headers announce a JSON body of a size that is taken, and ask for nothing else."""
    is_json = False
    for name, value in headers:
        if name in _ASKS_MORE or (name == b"content-length" and value.isdigit() and int(value[:20]) > limit_bytes):
            return False
        if name == b"content-type":
            if value != _CONTENT_TYPE[1]:
                return False
            is_json = True
    return is_json
