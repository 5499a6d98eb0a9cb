"""What the routes need of their app: handed over at start, read here, where it gets its type back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI, Request

from service.api.guarding import is_hidden
from service.api.hidden import HiddenEntities, HiddenParameters
from service.errors import ForbiddenError
from service.services.access import Access
from service.services.api_keys import ApiKeys
from service.services.cache_state import CacheState
from service.services.entities import Entities
from service.services.feed import Feed
from service.services.health import Health
from service.services.parameters import Parameters
from service.services.policies import Policies
from service.services.steering import Steering

_HIDDEN_ENTITIES, _HIDDEN_PARAMETERS = HiddenEntities(), HiddenParameters()


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be, how deep, and how long a client may ask it to be cached.

    ``policy_seconds``: how long a policy may, at the most; so long are tombstones kept.
    """

    body_bytes: int
    json_depth: int
    ttl_seconds: float
    policy_seconds: float


def attach_services(
    app: FastAPI,
    *,
    entities: Entities,
    parameters: Parameters,
    health: Health,
    cache: CacheState,
    policies: Policies,
    steering: Steering,
    feed: Feed,
    access: Access | None,
    keys: ApiKeys | None,
) -> None:
    """When the app starts: from here on its routes can answer."""
    app.state.entities = entities
    app.state.parameters = parameters
    app.state.health = health
    app.state.cache = cache
    app.state.steering = steering
    app.state.policies = policies
    app.state.feed = feed
    app.state.access = access
    app.state.keys = keys


def entities_of(request: Request) -> Entities:
    """Of which all are absent, for a key that must not know of them."""
    return cast(Entities, _HIDDEN_ENTITIES if is_hidden(request) else request.app.state.entities)


def parameters_of(request: Request) -> Parameters:
    return cast(Parameters, _HIDDEN_PARAMETERS if is_hidden(request) else request.app.state.parameters)


def health_of(request: Request) -> Health:
    return cast(Health, request.app.state.health)


def cache_state_of(request: Request) -> CacheState:
    return cast(CacheState, request.app.state.cache)


def steering_of(request: Request) -> Steering:
    return cast(Steering, request.app.state.steering)


def feed_of(request: Request) -> Feed:
    return cast(Feed, request.app.state.feed)


def policies_of(request: Request) -> Policies:
    return cast(Policies, request.app.state.policies)


def keys_of(request: Request) -> ApiKeys:
    """Raises ForbiddenError where nobody is asked for a key: then anybody could make one that counts later."""
    keys = cast("ApiKeys | None", request.app.state.keys)
    if keys is None:
        raise ForbiddenError("without ASIDE_ACCESS__REQUIRED=true keys are seen to by `aside keys` only")
    return keys


def limits_of(request: Request) -> Limits:
    return cast("Limits", request.app.state.limits)


def is_draining(app: FastAPI) -> bool:
    """Whether this process has been told to stop, and still serves until the load balancer has noticed."""
    return getattr(app.state, "draining", False)
