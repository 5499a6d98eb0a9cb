"""The whole examination: both servers and the service at once, then everything is judged. Takes 12 s at the most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from importlib import metadata
from typing import NamedTuple, TypeVar

from service.db.revision import HEAD
from service.doctor.facts import Clock, PostgresFacts, RedisFacts, ServiceFacts
from service.doctor.finding import Finding, Section, Unseen, fail, warn
from service.doctor.looking import REFUSALS, address_of, reason_of
from service.doctor.postgresql import look_at_postgresql
from service.doctor.postgresql_checks import judge_postgresql
from service.doctor.redis_checks import judge_redis
from service.doctor.redis_server import look_at_redis
from service.doctor.schema_checks import judge_schema
from service.doctor.service import look_at_service
from service.doctor.service_checks import judge_service
from service.doctor.settings_checks import judge_settings
from service.doctor.together_checks import judge_clocks, judge_heartbeat, judge_leadership
from service.parts import most_connections
from service.settings import Settings

LONGEST_SECONDS = 12.0
T = TypeVar("T")


class Seen(NamedTuple):
    """What was seen of each, or why it was not."""

    postgresql: PostgresFacts | Unseen
    redis: RedisFacts | Unseen
    service: ServiceFacts | Unseen


async def examine(settings: Settings, *, url: str, replicas: int, api_key: str | None = None) -> list[Section]:
    """What is found: never an error, whatever is away."""
    database_url, redis_url = settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()
    seen = Seen(
        *await asyncio.gather(
            _seen(look_at_postgresql(settings)),
            _seen(look_at_redis(settings)),
            _seen(look_at_service(url, api_key=api_key)),
        )
    )
    return [
        Section("Settings", list(judge_settings(settings))),
        Section(f"PostgreSQL at {address_of(database_url)}", _postgresql(seen, settings, replicas)),
        Section(f"Redis at {address_of(redis_url)}", _redis(seen, settings, replicas)),
        Section("Clocks", _clocks(seen)),
        Section(f"Service at {address_of(url)}", _service(seen.service, settings)),
    ]


async def _seen(look: Awaitable[T]) -> T | Unseen:
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await look
    except REFUSALS as error:
        return Unseen(reason_of(error))


def _postgresql(seen: Seen, settings: Settings, replicas: int) -> list[Finding]:
    facts = seen.postgresql
    if isinstance(facts, Unseen):
        return [
            fail(
                "reachable",
                f"it cannot be looked at: {facts.reason}",
                "is it started, does DATABASE_URL lead to it, and are role, password and database right?",
            )
        ]
    return [
        *judge_postgresql(facts, processes=replicas * settings.workers, connections_of_each=most_connections(settings)),
        *judge_schema(facts, settings, head=HEAD),
        *judge_leadership(facts, settings),
    ]


def _redis(seen: Seen, settings: Settings, replicas: int) -> list[Finding]:
    facts = seen.redis
    if isinstance(facts, Unseen):
        return [
            fail(
                "reachable",
                f"it cannot be looked at: {facts.reason}",
                "is it started, does REDIS_URL lead to it, and are user and password right? Meanwhile every read goes "
                "to PostgreSQL",
            )
        ]
    postgresql = seen.postgresql if isinstance(seen.postgresql, PostgresFacts) else None
    return [
        *judge_redis(facts, settings, replicas=replicas),
        *judge_heartbeat(facts, postgresql, settings),
    ]


def _clocks(seen: Seen) -> list[Finding]:
    clocks: dict[str, Clock] = {}
    if isinstance(seen.postgresql, PostgresFacts):
        clocks["PostgreSQL"] = seen.postgresql.clock
    if isinstance(seen.redis, RedisFacts):
        clocks["Redis"] = seen.redis.clock
    return list(judge_clocks(clocks))


def _service(facts: ServiceFacts | Unseen, settings: Settings) -> list[Finding]:
    if isinstance(facts, Unseen):
        return [
            warn(
                "reachable",
                f"nothing is said of it: {facts.reason}",
                "if one runs elsewhere, name it: --url http://host:port",
            )
        ]
    return list(judge_service(facts, settings, version=metadata.version("aside")))
