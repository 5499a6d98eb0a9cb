"""What a process tells of its surroundings: as they are, as they change, and whatever it meets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from service.cache.policy import Policy
from service.cache.probe import Probe
from service.domain.entity import ALWAYS
from service.domain.parameter import NOBODY
from service.embedded import Valkey
from service.settings import Settings
from service.wiring import Services, open_services
from tests.support.databases import execute_sql
from tests.support.recording import Recording
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.services.vitals._LOOK_SECONDS", 0.02)
    monkeypatch.setattr("service.services.vitals._ASK_SECONDS", 0.1)


@asynccontextmanager
async def opened(database_url: str, redis_url: str) -> AsyncIterator[tuple[Recording, Services]]:
    settings = Settings.model_construct(database_url=SecretStr(database_url), redis_url=SecretStr(redis_url))
    async with open_services(settings, recording := Recording()) as services:
        yield recording, services


def holds(recording: Recording, **wanted: bool) -> bool:
    """Whether this is what was told last."""
    last = next((event for event in reversed(recording.events) if event[0] == "condition"), ())
    return {f"{name}={so}" for name, so in wanted.items()} <= set(last)


async def test_a_healthy_process_says_so(database_url: str, redis_url: str) -> None:
    async with opened(database_url, redis_url) as (recording, _):
        all_well = {"redis_up": True, "cache_on": True, "postgresql_up": True, "relay_leads": True, "audit_runs": True}
        await eventually(partial(holds, recording, **all_well))
        assert recording.count("connections", "load", "0", "3") > 0
        assert recording.count("connections", "write", "0", "8") > 0
        assert recording.count("connections", "browse", "0", "3") > 0
        assert recording.count("connections", "relay", "1", "1") > 0
        assert recording.count("schema", "True") > 0
        assert recording.count("redis_memory", "used_bytes", "limit_bytes", "evicted_keys", "can_evict") > 0


async def test_a_type_that_gets_a_policy_at_run_time_is_told(database_url: str, redis_url: str) -> None:
    async with opened(database_url, redis_url) as (recording, services):
        await eventually(lambda: recording.count("entity_types", "parameter") > 0)
        await services.policies.put("book", Policy(), condition=ALWAYS, authorship=NOBODY)
        await eventually(lambda: recording.count("entity_types", "book", "parameter") > 0)


async def test_an_older_schema_is_told_and_a_redis_that_is_gone_is_not_asked(valkey_factory, database_url: str) -> None:
    server: Valkey = valkey_factory()
    async with opened(database_url, server.url) as (recording, _):
        await eventually(partial(holds, recording, cache_on=True))
        execute_sql(database_url, "UPDATE aside_schema_version SET version_num = '0001'")
        await eventually(lambda: recording.count("schema", "False") > 0)
        server.kill()
        await eventually(partial(holds, recording, redis_up=False, cache_on=False, postgresql_up=True))
        asked = recording.count("redis_memory")
        looks = recording.count("schema")
        await eventually(lambda: recording.count("schema") > looks + 2)
        assert recording.count("redis_memory") == asked


async def test_nothing_that_it_meets_ends_it(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Probe, "memory", None)
    with capture_logs() as logs:
        async with opened(database_url, redis_url) as (recording, _):
            await eventually(lambda: sum(line["event"] == "vitals_failed" for line in logs) > 1)
            await eventually(partial(holds, recording, cache_on=True))
