"""The one GET that matters, answered before the framework: an entity, or a parameter, by its name alone.

It does what the ordinary routes do for the same request, out of the same parts, and sends the same bytes; what asks
for more (a query, a directive, a condition but for one ETag) or is named badly goes on to them. Saved is what the
framework does around an endpoint: matching, middleware, dependencies, response objects. Under a server that knows
`HotReads.begin`, a hit is spared even the task and the messages of ASGI.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple, Protocol

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.hot_answers import answered, hit_head, messages
from service.api.hot_targets import Target, target_of
from service.api.middleware import RequestRecorder
from service.api.problems import error_response
from service.api.request_ids import REQUEST_ID_HEADER, assign_request_id, chosen_request_id
from service.cache.entry import NO_WISH, Answer, Glance, Outcome, Wish
from service.domain.entity import EntityKey
from service.errors import AsideError

log = structlog.get_logger(__name__)

_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
_BEGUN = "aside.begun"
HOT_READS = "aside.hot_reads"
"""Where the state of the lifespan has the `HotReads` of this process."""

Then = Callable[[Answer | Glance], None]
Reply = Callable[[int, bytes, bytes], None]
"""Status; the header lines, each with its line end; the body."""


class EntityReader(Protocol):
    async def get(self, key: EntityKey, wish: Wish, glance: Glance | None = None) -> Answer: ...

    def glance(self, entity_type: str, entity_id: str, then: Then) -> None: ...


class ParameterReader(Protocol):
    async def get(self, key: str, wish: Wish, glance: Glance | None = None) -> Answer: ...

    def glance(self, key: str, then: Then) -> None: ...


class _Begun(NamedTuple):
    """Where `begin` stopped: what is read, what a look at the cache found, since when (`perf_counter`)."""

    target: Target
    found: Answer | Glance | None
    started: float


class HotReads:
    """Stands before ``ordinary`` and passes on what is not its own: everything, before it is attached to services."""

    def __init__(self, ordinary: ASGIApp, recorder: RequestRecorder) -> None:
        self.ordinary = ordinary
        self._recorder = recorder
        self._entities: EntityReader | None = None
        self._parameters: ParameterReader | None = None

    def attach(self, entities: EntityReader | None, parameters: ParameterReader | None) -> None:
        self._entities, self._parameters = entities, parameters

    def begin(self, scope: Scope, reply: Reply, go_on: Callable[[], None]) -> bool:
        """Take this request if it may be a hit, for a server that can do without a task. True if it was taken.

        Later, in another turn of the loop, exactly one is called: ``reply``, with the whole answer; or ``go_on``, where
        the request has to go the way of all others, through `__call__` with the same scope.
        """
        started = perf_counter()
        target = target_of(scope)
        if target is None:
            return False

        def then(found: Answer | Glance) -> None:
            if isinstance(found, Glance) or found.outcome is not Outcome.HIT or found.body is None:
                scope[_BEGUN] = _Begun(target, found, started)
                go_on()
                return
            request_id = chosen_request_id(target.request_id)
            if found.version == target.known_version:
                status = 304
                reply(status, hit_head(found, None, request_id), b"")
            else:
                status = 200
                reply(status, hit_head(found, len(found.body), request_id), found.body)
            self._recorder.request("GET", target.route, status, perf_counter() - started)

        if target.entity_type is not None and self._entities is not None:
            self._entities.glance(target.entity_type, target.name, then)
        elif target.entity_type is None and self._parameters is not None:
            self._parameters.glance(target.name, then)
        else:
            return False
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: _Begun | None = scope.get(_BEGUN)
        if begun is None:
            target = target_of(scope)
            begun = None if target is None else _Begun(target, None, perf_counter())
        if begun is None or not self._is_attached(begun.target):
            await self.ordinary(scope, receive, send)
            return
        request_id = assign_request_id(scope)
        try:
            start, body = await self._messages(scope, begun)
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
            self._recorder.request("GET", begun.target.route, start["status"], perf_counter() - begun.started)

    def _is_attached(self, target: Target) -> bool:
        return (self._parameters if target.entity_type is None else self._entities) is not None

    async def _messages(self, scope: Scope, begun: _Begun) -> tuple[Message, Message]:
        """The two messages of the answer; of a problem, where the reading fails as readings may."""
        request, target = Request(scope), begun.target
        try:
            answer = begun.found if isinstance(begun.found, Answer) else await self._read(target, begun.found)
        except AsideError as error:
            return messages(error_response(request, error))
        return answered(request, answer, target)

    async def _read(self, target: Target, glance: Glance | None) -> Answer:
        if target.entity_type is None:
            assert self._parameters is not None
            return await self._parameters.get(target.name, NO_WISH, glance)
        assert self._entities is not None
        return await self._entities.get(EntityKey(target.entity_type, target.name), NO_WISH, glance)
