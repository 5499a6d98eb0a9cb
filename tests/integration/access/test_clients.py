"""Our own clients bring the key of ASIDE_API_KEY, and a service that asks for keys serves several workers alike."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import Replicas
from tests.support.aside_command import aside
from tests.support.keys import EVERYTHING, bearer, make_key
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually


@pytest.fixture
def key(database_url: str) -> str:
    return make_key(database_url, "operator", *EVERYTHING).text


@pytest.fixture
def guarded(replicas: Replicas, key: str) -> ServiceProcess:
    assert key
    [replica] = replicas(ASIDE_ACCESS__REQUIRED="true", ASIDE_WORKERS="2")
    return replica


async def is_let_in(service: ServiceProcess, key: str) -> bool:
    async with httpx.AsyncClient() as client:
        answers = [await client.get(f"{service.url}/v1/cache/policies", headers=bearer(key)) for _ in range(8)]
    return {answer.status_code for answer in answers} == {200}


async def test_commands_bring_the_key_and_say_what_is_wrong_without_one(guarded: ServiceProcess, key: str):
    await eventually(lambda: is_let_in(guarded, key))
    assert (await aside("stats", "--json", "--url", guarded.url, ASIDE_API_KEY=key)).told["covers"]
    refused = await aside("stats", "--url", guarded.url)
    assert refused.exit_code == 1
    assert "a key is needed" in refused.stderr
    odd = await aside("stats", "--url", guarded.url, ASIDE_API_KEY="k\ny")
    assert odd.exit_code == 2
    wrong = await aside("stats", "--url", guarded.url, ASIDE_API_KEY=key[:-1])
    assert "mistyped" in wrong.stderr
    assert key[:-1] not in wrong.stderr


async def test_the_load_tool_seeds_reads_and_tidies_up_with_the_key(guarded: ServiceProcess, key: str):
    await eventually(lambda: is_let_in(guarded, key))
    options = ("--duration", "0.3", "--seed-entities", "20", "--mix", "reads=80,writes=10,batch-read=10", "--json")
    loaded = await aside("bench", guarded.url, *options, ASIDE_API_KEY=key)
    statuses = loaded.told["statuses"]  # of a busy machine some may be 503
    assert statuses["200"] > 0
    assert not {"401", "403"} & set(statuses)
    assert key not in loaded.stdout + loaded.stderr
    refused = await aside("bench", guarded.url, *options)
    assert refused.exit_code != 0
    assert "401" in refused.stderr
