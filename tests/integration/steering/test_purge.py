"""Purging through the API: what goes, what stays, what is refused."""

from __future__ import annotations

import pytest

from tests.integration.steering.conftest import ROWS, until_over


async def fill(client, rows, entity_type, count):
    await rows.execute(ROWS, entity_type, count)
    for number in range(1, count + 1):
        await client.get(f"/v1/entities/{entity_type}/i{number}")


async def is_hit(client, entity_type, entity_id):
    return "; hit;" in (await client.get(f"/v1/entities/{entity_type}/{entity_id}")).headers["Cache-Status"]


async def test_some_ids_go_at_once_on_every_replica(client, other, rows):
    await fill(client, rows, "some", 3)
    body = {"entity_type": "some", "ids": ["i1", "i2", "none", "i1"]}
    counted = await client.post("/v1/cache/purge", json={**body, "dry_run": True})
    assert (counted.status_code, counted.json()) == (200, {"purged": 2, "dry_run": True})
    purged = await client.post("/v1/cache/purge", json=body)
    assert (purged.status_code, purged.json()) == (200, {"purged": 2, "dry_run": False})
    assert [await is_hit(other, "some", each) for each in ("i1", "i3")] == [False, True]


async def test_when_the_answer_comes_no_replica_answers_with_what_was_cached_of_the_type(client, other, rows):
    await fill(client, rows, "whole", 30)
    await fill(client, rows, "whole-other", 1)
    answer = await client.post("/v1/cache/purge", json={"entity_type": "whole"}, headers={"Aside-Actor": "ann"})
    assert answer.status_code == 202
    assert [await is_hit(other, "whole", f"i{number}") for number in range(1, 31)] == [False] * 30
    assert await is_hit(other, "whole-other", "i1")
    job = await until_over(client, answer.headers["Location"])
    assert (job["state"], job["kind"], job["actor"]) == ("done", "purge", "ann")
    assert await is_hit(client, "whole", "i1")  # filled since, and none of the walk's business


async def test_a_prefix_goes_by_a_job_and_a_dry_run_only_counts(client, rows):
    await fill(client, rows, "pre", 12)
    body = {"entity_type": "pre", "prefix": "i1"}
    dry = await client.post("/v1/cache/purge", json={**body, "dry_run": True})
    assert (await until_over(client, dry.headers["Location"]))["progress"] == {"keys": 4, "purged": 0}
    done = await client.post("/v1/cache/purge", json=body)
    assert (await until_over(client, done.headers["Location"]))["progress"] == {"keys": 4, "purged": 4}
    assert [await is_hit(client, "pre", each) for each in ("i1", "i10", "i2")] == [False, False, True]


async def test_all_is_given_up_together(client, other, rows):
    await fill(client, rows, "one", 1)
    await fill(client, rows, "two", 1)
    answer = await client.post("/v1/cache/purge", json={"all": True})
    assert answer.status_code == 202
    assert [await is_hit(other, "one", "i1"), await is_hit(other, "two", "i1")] == [False, False]
    assert (await until_over(client, answer.headers["Location"]))["state"] == "done"


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({}, "", "say either `entity_type` or `all`"),
        ({"entity_type": "a", "all": True}, "", "say either `entity_type` or `all`"),
        ({"all": True, "ids": ["x"]}, "", "`ids` and `prefix` belong to an `entity_type`"),
        ({"entity_type": "a", "ids": ["x"], "prefix": "x"}, "", "say either `ids` or `prefix`"),
        ({"entity_type": "A*"}, "/entity_type", "pattern"),
        ({"entity_type": "a", "prefix": "x*"}, "/prefix", "pattern"),
        ({"entity_type": "a", "ids": ["ok", "not ok"]}, "/ids/1", "pattern"),
        ({"entity_type": "a", "ids": []}, "/ids", "at least 1"),
        ({"entity_type": "a", "dryrun": True}, "/dryrun", "not permitted"),
        ({"all": "yes"}, "/all", "boolean"),
        ([], "", "object"),
    ],
)
async def test_what_is_no_purge_is_refused_with_its_place_and_nothing_goes(client, rows, body, pointer, says):
    answer = await client.post("/v1/cache/purge", json=body)
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert says in fault["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "say one of `entity_types`, `ids` and `hot`"),
        ({"hot": 5, "entity_types": []}, "say one of"),
        ({"ids": ["x"]}, "`entity_type` and `ids` belong together"),
        ({"hot": 5, "prefix": "x"}, "`prefix` belongs to `entity_types`"),
        ({"hot": 0}, "greater than or equal to 1"),
        ({"entity_types": [], "rows_per_second": 0.5}, "greater than or equal to 1"),
    ],
)
async def test_what_is_no_warming_is_refused(client, body, says):
    answer = await client.post("/v1/cache/warm", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["errors"][0]["detail"]
