"""Explaining one key: each state that it may be in, in figures and in words."""

from __future__ import annotations

import json

import pytest

from service.embedded import Valkey
from tests.conftest import Replicas, ValkeyFactory
from tests.support.load import Traffic
from tests.support.valkey_commands import command
from tests.support.waiting import eventually


async def explained(client, entity_id, entity_type="told"):
    answer = await client.get(f"/v1/cache/entries/{entity_type}/{entity_id}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


async def test_a_value_is_told_with_its_ages_its_row_and_its_last_change(client):
    path = "/v1/entities/told/JP"
    version = json.loads((await client.put(path, json={"n": 1})).headers["ETag"])
    absent = await explained(client, "JP")
    assert (absent["verdict"], absent["entry"], absent["lease"]) == ("absent", None, None)
    assert absent["row"]["version"] == int(version)
    await client.get(path)
    told = await explained(client, "JP")
    assert (told["key"], told["verdict"], told["cache"]) == ("cache:told:JP", "fresh", {"on": True})
    entry = told["entry"]
    assert (entry["kind"], entry["version"]) == ("value", int(version))
    assert 0 < entry["fresh_for_seconds"] <= 300
    assert 0 <= entry["age_seconds"] < 60
    assert entry["expires_in_seconds"] == pytest.approx(entry["fresh_for_seconds"] + entry["stale_for_seconds"], abs=1)
    assert entry["bytes"] > 60
    assert told["policy"]["strategy"] == "cache_aside"

    async def is_applied() -> bool:
        change = (await explained(client, "JP"))["last_change"]
        return change["version"] == int(version) and change["applied"]

    await eventually(is_applied)


async def test_looking_does_not_count_as_a_use_of_the_key(client, pair_valkey: Valkey):
    await client.put("/v1/entities/told/quiet", json={})
    await client.get("/v1/entities/told/quiet")

    async def is_carried() -> bool:
        return bool((await explained(client, "quiet"))["last_change"]["applied"])

    await eventually(is_carried)  # the relay looks at the key as well, once, and that counts
    uses = command(pair_valkey.url, "OBJECT", "FREQ", "cache:told:quiet")
    for _ in range(30):
        await explained(client, "quiet")
    assert command(pair_valkey.url, "OBJECT", "FREQ", "cache:told:quiet") == uses


async def test_what_is_known_not_to_exist_is_told_as_that(client):
    await client.get("/v1/entities/told/none")
    told = await explained(client, "none")
    assert (told["verdict"], told["entry"]["kind"], told["row"]) == ("fresh", "negative", None)
    assert told["explanation"].startswith("a hit that says there is none")


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("L1 cafe 41\n", "leased"), ("somebody else's", "unreadable"), ("V1 1 h.1 1 1 1 1 1 told:odd\n{}", "outdated")],
)
async def test_whatever_lies_there_is_told_for_what_it_is(client, pair_valkey: Valkey, value: str, verdict: str):
    command(pair_valkey.url, "SET", "cache:told:odd", value, "PX", "60000")
    told = await explained(client, "odd")
    assert told["verdict"] == verdict
    if verdict == "leased":
        assert (told["lease"]["token"], told["lease"]["floor"]) == ("cafe", 41)
        assert 0 < told["lease"]["expires_in_seconds"] <= 60
    command(pair_valkey.url, "DEL", "cache:told:odd")
    command(pair_valkey.url, "RPUSH", "cache:told:odd", "a list")
    assert (await explained(client, "odd"))["verdict"] == "unreadable"
    command(pair_valkey.url, "DEL", "cache:told:odd")


async def test_a_parameter_is_explained_under_its_type(client):
    await client.put("/v1/parameters/app:told", json={"type": "integer", "value": 1})
    told = await explained(client, "app:told", "parameter")
    assert (told["key"], told["verdict"], told["policy"]["strategy"]) == (
        "cache:parameter:app:told", "fresh", "write_through",
    )  # fmt: skip


async def test_without_a_server_the_other_ones_side_is_told(replicas: Replicas, valkey_factory: ValkeyFactory):
    server = valkey_factory()
    (replica,) = replicas(REDIS_URL=server.url, ASIDE_BOUND_SECONDS="0.5")
    async with Traffic([replica.url]) as traffic:
        await traffic.until_cached()
        await traffic.write("x")
        server.kill()
        told = (await traffic.get("/v1/cache/entries/entity/x")).json()
    assert (told["verdict"], told["cache"], told["entry"]) == ("unknown", {"on": None}, None)
    assert told["explanation"] == "Redis cannot be asked: readers are answered from PostgreSQL"
