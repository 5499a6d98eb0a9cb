"""The one GET that matters, answered before the framework: an entity, or a parameter, by its name alone.

It does what the ordinary routes do for the same request, out of the same parts, and sends the same bytes; what asks
for more (a query, a directive, a condition but for one ETag) or is named badly goes on to them. Saved is what the
framework does around an endpoint: matching, middleware, dependencies, response objects. Under a server that knows
`HotReads.begin`, a hit is spared even the task and the messages of ASGI.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.hot_answers import answered_head, hit_head, message_of, response_head, response_to
from service.api.hot_targets import Target, target_of
from service.api.middleware import RequestRecorder
from service.api.problems import error_response
from service.api.request_ids import REQUEST_ID_HEADER, assign_request_id, chosen_request_id, note_request_id
from service.cache.entry import NO_WISH, Answer, Glance, Outcome, Wish
from service.domain.entity import EntityKey
from service.domain.parameter import PARAMETER
from service.errors import AsideError

log = structlog.get_logger(__name__)

HOT_READS = "aside.hot_reads"
"""Where the state of the lifespan has the `HotReads` of this process."""
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()

Then = Callable[[Answer | Glance | BaseException], None]


class Exchange(Protocol):
    """A request that waits for its answer, as a server hands it to `HotReads.begin`."""

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """Send the whole answer. ``head``: the header lines, each with its line end. A client that left is nobody."""

    def run(self, rest: Coroutine[Any, Any, None]) -> None:
        """Run what is left to do as a task that the server knows of."""

    def pass_on(self) -> None:
        """Let the request go the way of all others, through the application."""


class EntityReader(Protocol):
    async def get(self, key: EntityKey, wish: Wish, glance: Glance | None = None) -> Answer: ...

    def glance(self, entity_type: str, entity_id: str, then: Then) -> None: ...


class ParameterReader(Protocol):
    async def get(self, key: str, wish: Wish, glance: Glance | None = None) -> Answer: ...

    def glance(self, key: str, then: Then) -> None: ...


class Access(Protocol):
    def may_read(self, authorization: bytes, entity_type: str) -> bool:
        """Whether it is certain. Every hit asks: it must cost next to nothing."""


class _Asked(NamedTuple):
    """A request that was no plain hit."""

    scope: Scope
    target: Target
    exchange: Exchange
    started: float


class HotReads:
    """Stands before ``ordinary`` and passes on what is not its own: everything, before it is attached to services."""

    def __init__(self, ordinary: ASGIApp, recorder: RequestRecorder) -> None:
        self.ordinary = ordinary
        self._recorder = recorder
        self._entities: EntityReader | None = None
        self._parameters: ParameterReader | None = None
        self._access: Access | None = None

    def attach(
        self, entities: EntityReader | None, parameters: ParameterReader | None, access: Access | None = None
    ) -> None:
        """With ``access`` only what it allows for certain is read here; whatever else, the ordinary routes judge."""
        self._entities, self._parameters, self._access = entities, parameters, access

    def begin(self, scope: Scope, exchange: Exchange) -> bool:
        """Take this request, if it is one of ours, for a server that can do without a task. True if it was taken.

        Later, in another turn of the loop, ``exchange`` gets its answer, or is passed on.
        """
        started = perf_counter()
        target = target_of(scope)
        if target is None or (self._access is not None and not _is_allowed(self._access, target)):
            return False

        def then(found: Answer | Glance | BaseException) -> None:
            if isinstance(found, Answer) and found.outcome is Outcome.HIT and found.body is not None:
                is_known = found.version == target.known_version
                status, body = (304, b"") if is_known else (200, found.body)
                try:
                    head = hit_head(found, None if is_known else len(body), chosen_request_id(target.request_id))
                except Exception:
                    log.exception("hot_read_failed")  # nobody thought of it; unanswered, the client would wait for ever
                    exchange.pass_on()
                    return
                exchange.reply(status, head, body)
                self._recorder.request("GET", target.route, status, perf_counter() - started)
            elif isinstance(found, Glance):
                exchange.run(self._finish(_Asked(scope, target, exchange, started), found))
            else:
                self._reply(_Asked(scope, target, exchange, started), found, chosen_request_id(target.request_id))

        if target.entity_type is not None and self._entities is not None:
            self._entities.glance(target.entity_type, target.name, then)
        elif target.entity_type is None and self._parameters is not None:
            self._parameters.glance(target.name, then)
        else:
            return False
        return True

    async def _finish(self, asked: _Asked, glance: Glance) -> None:
        """What takes more than callbacks: load it, or say why not, and answer."""
        request_id = assign_request_id(asked.scope)
        found: Answer | BaseException
        try:
            found = await self._read(asked.target, glance)
        except Exception as defect:  # noqa: BLE001 (told by `_reply`)
            found = defect
        self._reply(asked, found, request_id)

    def _reply(self, asked: _Asked, found: Answer | BaseException, request_id: bytes) -> None:
        if isinstance(found, CancelledError):
            return  # this process stops, and waits for nobody any more
        try:
            status, head, body = _rendered(asked.scope, asked.target, found, request_id)
        except Exception:
            log.exception("hot_read_failed", request_id=request_id.decode())
            asked.exchange.pass_on()
            return
        asked.exchange.reply(status, head, body)
        self._recorder.request("GET", asked.target.route, status, perf_counter() - asked.started)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        target = target_of(scope)
        if target is not None and self._access is not None and not _is_allowed(self._access, target):
            target = None
        if target is None or (self._parameters if target.entity_type is None else self._entities) is None:
            await self.ordinary(scope, receive, send)
            return
        request_id = assign_request_id(scope)
        try:
            start, body = message_of(_response(scope, target, await self._read(target, None)))
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
            self._recorder.request("GET", target.route, start["status"], perf_counter() - started)

    async def _read(self, target: Target, glance: Glance | None) -> Answer | AsideError:
        """The answer, or the failure where a reading fails as readings may."""
        try:
            if target.entity_type is None:
                assert self._parameters is not None
                return await self._parameters.get(target.name, NO_WISH, glance)
            assert self._entities is not None
            return await self._entities.get(EntityKey(target.entity_type, target.name), NO_WISH, glance)
        except AsideError as error:
            return error


def _is_allowed(access: Access, target: Target) -> bool:
    return access.may_read(target.authorization, target.entity_type or PARAMETER)


def _rendered(
    scope: Scope, target: Target, found: Answer | BaseException, request_id: bytes
) -> tuple[int, bytes, bytes]:  # fmt: skip
    """Status, header lines and body. Raises ``found`` where that is no answer, and nothing that Aside would say."""
    if isinstance(found, Answer) and found.body is not None and target.known_version != found.version:
        return 200, answered_head(found, len(found.body), request_id), found.body
    if not isinstance(found, Answer | AsideError):
        raise found
    note_request_id(scope, request_id)
    response = _response(scope, target, found)
    return response.status_code, response_head(response, request_id), bytes(response.body)


def _response(scope: Scope, target: Target, answer: Answer | AsideError) -> Response:
    request = Request(scope)
    return error_response(request, answer) if isinstance(answer, AsideError) else response_to(request, answer, target)
