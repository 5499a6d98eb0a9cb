"""What the routes need of their app: handed over at start, read here, where it gets its type back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI, Request

from service.services.cache_state import CacheState
from service.services.entities import Entities
from service.services.health import Health
from service.services.parameters import Parameters
from service.services.policies import Policies
from service.services.steering import Steering


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be, how deep, and how long a client may ask it to be cached."""

    body_bytes: int
    json_depth: int
    ttl_seconds: float


def attach_services(
    app: FastAPI,
    *,
    entities: Entities,
    parameters: Parameters,
    health: Health,
    cache: CacheState,
    policies: Policies,
    steering: Steering,
) -> None:
    """When the app starts: from here on its routes can answer."""
    app.state.entities = entities
    app.state.parameters = parameters
    app.state.health = health
    app.state.cache = cache
    app.state.steering = steering
    app.state.policies = policies


def entities_of(request: Request) -> Entities:
    return cast(Entities, request.app.state.entities)


def parameters_of(request: Request) -> Parameters:
    return cast(Parameters, request.app.state.parameters)


def health_of(request: Request) -> Health:
    return cast(Health, request.app.state.health)


def cache_state_of(request: Request) -> CacheState:
    return cast(CacheState, request.app.state.cache)


def steering_of(request: Request) -> Steering:
    return cast(Steering, request.app.state.steering)


def policies_of(request: Request) -> Policies:
    return cast(Policies, request.app.state.policies)


def limits_of(request: Request) -> Limits:
    return cast("Limits", request.app.state.limits)


def is_draining(app: FastAPI) -> bool:
    """Whether this process has been told to stop, and still serves until the load balancer has noticed."""
    return getattr(app.state, "draining", False)
