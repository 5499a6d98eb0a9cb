"""Asks who sends a request, before its body is read and before anything is looked up. The one place that refuses.

The doors before the framework let pass only what is allowed for certain, and leave the rest to the routes; each route
is a `GuardedRoute`, which asks here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from service.api.access_rules import OPEN, RULES, Rule
from service.domain.entity import ENTITY_TYPE_PATTERN
from service.domain.scopes import Decision, Verb, decide
from service.errors import ForbiddenError, UnauthenticatedError
from service.services.access import Access, Principal

_PRINCIPAL, _IS_HIDDEN = "aside.principal", "aside.is_hidden"
_TYPE = re.compile(ENTITY_TYPE_PATTERN)


class GuardedRoute(APIRoute):
    """Asks for a key before the framework looks at anything in the request but its path."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = RULES.get((scope["method"], self.path_format))
        if rule is not None:  # without one it is a method that this route does not have
            guard(Request(scope), rule, scope["path_params"].get("entity_type"))
        await super().handle(scope, receive, send)


def guard(request: Request, rule: Rule, entity_type: str | None) -> None:
    """Let the request go on, perhaps as one of which everything is absent: see `is_hidden`.

    Raises UnauthenticatedError, ForbiddenError, RevocationsUnknownError.
    """
    access = None if rule is OPEN else access_of(request)
    if access is None:
        return
    principal = request.scope[_PRINCIPAL] = access.admit(_authorization(request.scope))
    on = entity_type if rule.on is None else rule.on
    if on is None or (isinstance(on, str) and not _TYPE.fullmatch(on)):
        return  # no type at all: refused as that, whoever asks
    match decide(principal.scopes, rule.verbs, on):
        case Decision.HIDDEN:
            request.scope[_IS_HIDDEN] = True
        case Decision.FORBIDDEN:
            raise _forbidden(rule.verbs, on if isinstance(on, str) else on.value)
        case Decision.ALLOWED:
            pass


def require(request: Request, verb: Verb, entity_types: Iterable[str]) -> None:
    """For what the path does not say: whether the key allows it on all of these types. Raises ForbiddenError."""
    principal = principal_of(request)
    for entity_type in entity_types:
        if principal is not None and not principal.scopes.allow(verb, entity_type):
            raise _forbidden((verb,), entity_type)


def may(request: Request, verb: Verb, entity_types: Iterable[str]) -> bool:
    """The same as a question. `*` stands for all types."""
    principal = principal_of(request)
    return principal is None or all(principal.scopes.allow(verb, entity_type) for entity_type in entity_types)


def may_if_it_says_who(request: Request, verb: Verb, entity_type: str) -> bool:
    """The same where no key is needed, but one may have been sent."""
    access = access_of(request)
    if access is None:
        return True
    try:
        return access.admit(_authorization(request.scope)).scopes.allow(verb, entity_type)
    except UnauthenticatedError:
        return False


def readmitted(request: Request) -> Principal | None:
    """Who asks, by what is known of the key now; None where nobody is asked for one. Raises as `guard` does."""
    access = access_of(request)
    return None if access is None else access.admit(_authorization(request.scope))


def principal_of(request: Request) -> Principal | None:
    """Who asks; None where nobody is asked for a key."""
    return cast("Principal | None", request.scope.get(_PRINCIPAL))


def is_hidden(request: Request) -> bool:
    """Whether all that this request asks for is to be absent."""
    return _IS_HIDDEN in request.scope


def access_of(request: Request) -> Access | None:
    return cast("Access | None", request.app.state.access)


def check_guarded(app: FastAPI) -> None:
    """Raises RuntimeError where a route could be reached that no rule is made for."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        is_mount = isinstance(route, Mount)
        template = (context.path if is_mount else context.path_format) or ""
        for method in {"GET"} if is_mount else context.methods or set():
            rule = RULES.get((method, template))
            if rule is None or not (rule is OPEN or isinstance(route, GuardedRoute)):
                raise RuntimeError(f"{method} {context.path} has no rule in access_rules, or does not ask for a key")


def _authorization(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"authorization"]


def _forbidden(verbs: Iterable[Verb], on: str) -> ForbiddenError:
    wanted = " and ".join(f"{verb}:{'…' if on == '?' else on}" for verb in verbs)
    return ForbiddenError(f"the key has no scope {wanted}")
