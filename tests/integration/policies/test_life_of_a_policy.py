"""What a client sees of the policy of one type, through HTTP, over the real service."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import httpx
import jsonschema_rs
import pytest

DEFAULT = {
    "strategy": "cache_aside", "ttl_seconds": 300, "jitter": 0.1, "negative_ttl_seconds": 30,
    "stale_if_error_seconds": 0, "early_refresh_beta": 1,
}  # fmt: skip
UNSTORED = {"version": None, "updated_at": None, "updated_by": None}
CLOSE = {"ttl_seconds": 600, "stale_if_error_seconds": 3600.5}
ANN = {"Aside-Actor": "ann", "Aside-Reason": "a campaign"}


def fits(document: dict[str, Any], schema: str, answer: object) -> bool:
    rule = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    return jsonschema_rs.validator_for(rule).is_valid(answer)


async def test_from_the_default_and_back(client: httpx.AsyncClient, entity_type: str, path: str) -> None:
    first = await client.get(path)
    assert first.json() == {"entity_type": entity_type, **DEFAULT, "source": "default", **UNSTORED}
    assert ("etag" in first.headers, first.headers["cache-control"]) == (False, "no-store")

    stored = await client.put(path, json=CLOSE, headers=ANN)
    assert stored.status_code == 200
    version = int(stored.headers["etag"].strip('"'))
    stamps = {"version": version, "updated_at": stored.json()["updated_at"], "updated_by": "ann"}
    assert stored.json() == {"entity_type": entity_type, **DEFAULT, **CLOSE, "source": "stored", **stamps}
    read = await client.get(path)
    assert (read.json(), read.headers["etag"]) == (stored.json(), stored.headers["etag"])

    again = await client.put(path, json={"strategy": "write_through"})
    assert {name: again.json()[name] for name in DEFAULT} == {**DEFAULT, "strategy": "write_through"}
    assert (again.json()["updated_by"], again.json()["version"] > version) == (None, True)

    removed = await client.delete(path, headers=ANN)
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await client.get(path)).json() == first.json()
    gone = await client.delete(path)
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/not-found")

    page = (await client.get(f"{path}/versions")).json()
    told = [(each["kind"], each["actor"], each["reason"], each["policy"]) for each in page["versions"]]
    assert told == [
        ("removed", "ann", "a campaign", None),
        ("set", None, None, {**DEFAULT, "strategy": "write_through"}),
        ("set", "ann", "a campaign", {**DEFAULT, **CLOSE}),
    ]
    assert fits((await client.get("/openapi.json")).json(), "PolicyVersionPage", page)


async def test_the_list_has_the_default_the_settings_and_what_is_stored(
    client: httpx.AsyncClient, entity_type: str, path: str
) -> None:
    await client.put(path, json=CLOSE)
    found = (await client.get("/v1/cache/policies")).json()
    by_type = {each["entity_type"]: each for each in found["policies"]}
    assert found["default"] == {"entity_type": None, **DEFAULT, "source": "default", **UNSTORED}
    assert (by_type["parameter"]["source"], by_type["parameter"]["ttl_seconds"]) == ("settings", 3600)
    assert (by_type[entity_type]["source"], by_type[entity_type]["ttl_seconds"]) == ("stored", 600)
    assert list(by_type) == sorted(by_type)
    assert found["age_seconds"] < 2
    assert fits((await client.get("/openapi.json")).json(), "Policies", found)


async def test_of_parameters_the_settings_say_what_is_left_out(client: httpx.AsyncClient) -> None:
    path = "/v1/cache/policies/parameter"
    stored = (await client.put(path, json={"jitter": 0})).json()
    assert (stored["strategy"], stored["ttl_seconds"], stored["jitter"]) == ("write_through", 3600, 0)
    assert (await client.delete(path)).status_code == 204


async def test_what_was_read_may_be_sent_back_and_of_two_who_do_one_wins(client: httpx.AsyncClient, path: str) -> None:
    tag = (await client.put(path, json=CLOSE)).headers["etag"]
    mine = {**(await client.get(path)).json(), "ttl_seconds": 60}
    first, second = await asyncio.gather(*[client.put(path, json=mine, headers={"If-Match": tag}) for _ in range(2)])
    won, lost = sorted((first, second), key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 412)
    assert lost.headers["etag"] == won.headers["etag"]
    assert (await client.delete(path, headers={"If-Match": tag})).status_code == 412
    assert (await client.delete(path, headers={"If-Match": won.headers["etag"]})).status_code == 204


async def test_conditions_on_a_type_of_which_nothing_is_stored(client: httpx.AsyncClient, path: str) -> None:
    for headers in ({"If-Match": "*"}, {"If-Match": '"1"'}):
        for method in ("PUT", "DELETE"):
            answer = await client.request(method, path, headers=headers, json={})
            assert (answer.status_code, "etag" in answer.headers) == (412, False)
    none = {"If-None-Match": "*"}
    stored = await client.put(path, json={}, headers=none)
    assert stored.status_code == 200
    for method in ("PUT", "DELETE"):
        for dry_run in ("false", "true"):
            refused = await client.request(method, path, headers=none, json={}, params={"dry_run": dry_run})
            assert (refused.status_code, refused.headers["etag"]) == (412, stored.headers["etag"])


async def test_a_dry_run_shows_the_difference_and_writes_nothing(client: httpx.AsyncClient, path: str) -> None:
    dry = {"dry_run": "true"}
    create = await client.put(path, json={"ttl_seconds": 60}, params=dry)
    patch = [{"op": "replace", "path": "/ttl_seconds", "value": 60}]
    assert create.json() == {"would": "create", "version": None, "patch": patch}
    assert (await client.delete(path, params=dry)).status_code == 404
    assert (await client.get(path)).json()["source"] == "default"

    version = (await client.put(path, json=CLOSE)).json()["version"]
    update = await client.put(path, json={**CLOSE, "jitter": 0.25}, params=dry)
    assert update.json()["patch"] == [{"op": "replace", "path": "/jitter", "value": 0.25}]
    delete = (await client.delete(path, params=dry)).json()
    assert (delete["would"], delete["version"], len(delete["patch"])) == ("delete", version, 2)
    assert (await client.put(path, json={"jitter": 1}, params=dry)).status_code == 422
    assert (await client.get(path)).json()["version"] == version


@pytest.mark.parametrize(
    ("sent", "status", "pointers"),
    [
        ('{"ttl_seconds": 0, "jitter": 2, "none": 1}', 422, {"/ttl_seconds", "/jitter", "/none"}),
        ('{"ttl_seconds": 2592000, "stale_if_error_seconds": 1}', 422, {"/stale_if_error_seconds"}),
        ('{"ttl_seconds": NaN}', 400, None),
        ('{"jitter": 0, "jitter": 0}', 400, {"/jitter"}),
        ("[]", 422, {""}),
    ],
)
async def test_what_cannot_be_is_refused_with_every_fault(
    client: httpx.AsyncClient, path: str, *, sent: str, status: int, pointers: set[str] | None
) -> None:
    answer = await client.put(path, content=sent.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointers is None or {each["pointer"] for each in answer.json()["errors"]} == pointers
    assert (await client.get(path)).json()["source"] == "default"


async def test_a_type_that_cannot_be_is_refused_everywhere(client: httpx.AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.request(method, "/v1/cache/policies/No", json={})).status_code == 422
    assert (await client.get("/v1/cache/policies/No/versions")).status_code == 422


async def test_the_history_comes_in_pages(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"{path}/versions")).json() == {"versions": [], "next_cursor": None}
    versions = [(await client.put(path, json={"ttl_seconds": n})).json()["version"] for n in (1, 2, 3)]
    found, cursor = [], None
    while True:
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = (await client.get(f"{path}/versions", params=query)).json()
        found += [each["version"] for each in page["versions"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == versions[::-1]


async def test_plain_sql_is_welcome_and_leaves_its_name(
    client: httpx.AsyncClient, database: asyncpg.Connection, entity_type: str, path: str
) -> None:
    await client.put(path, json={})
    await database.execute("UPDATE policy SET ttl_seconds = 9 WHERE entity_type = $1", entity_type)
    assert (await client.get(path)).json()["ttl_seconds"] == 9
    await database.execute("UPDATE policy SET entity_type = $1 || '-2' WHERE entity_type = $1", entity_type)
    assert (await client.get(path)).json()["source"] == "default"
    assert (await client.get(f"{path}-2")).json()["ttl_seconds"] == 9
    await database.execute("TRUNCATE policy")
    assert (await client.get(f"{path}-2")).json()["source"] == "default"
    history = [(await client.get(f"{each}/versions")).json()["versions"] for each in (path, f"{path}-2")]
    told = [[(each["kind"], each["reason"]) for each in some] for some in history]
    assert told == [
        [("removed", None), ("set", None), ("set", None)],
        [("removed", "TRUNCATE"), ("set", None)],
    ]
    assert history[0][0]["actor"].startswith("postgresql:")
    for wrong in ("ttl_seconds = 'NaN'", "stale_if_error_seconds = 'Infinity'", "jitter = 0.6", "strategy = 'none'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await database.execute(
                f"INSERT INTO policy SELECT 'a', 'cache_aside', 1, 0, 1, 0, 1; UPDATE policy SET {wrong}"
            )


async def test_what_these_settings_do_not_allow_is_not_obeyed(
    client: httpx.AsyncClient, database: asyncpg.Connection, shared_replica: Any, entity_type: str, path: str
) -> None:
    await client.put(path, json={})
    await database.execute("UPDATE policy SET ttl_seconds = 1e9 WHERE entity_type = $1", entity_type)
    assert (await client.get(path)).json() == {"entity_type": entity_type, **DEFAULT, "source": "default", **UNSTORED}
    [line] = [line for line in shared_replica.log.splitlines() if "policy_refused" in line and entity_type in line]
    assert json.loads(line)["faults"] == ["ttl_seconds must be a number above 0, up to 2592000"]
    assert (await client.put(path, json={})).json()["ttl_seconds"] == 300


async def test_writers_of_one_policy_never_wait_for_each_other(client: httpx.AsyncClient, path: str) -> None:
    """Each takes the edition before it takes the policy; in another order, two of them would be a deadlock."""
    ways = (
        lambda: client.put(path, json={}),
        lambda: client.put(path, json={}, headers={"If-Match": "*"}),
        lambda: client.put(path, json={}, headers={"If-None-Match": "*"}),
        lambda: client.delete(path),
    )
    answers = await asyncio.gather(*[ways[number % len(ways)]() for number in range(80)])
    assert {answer.status_code for answer in answers} <= {200, 204, 404, 412}
    versions = (await client.get(f"{path}/versions", params={"limit": 1000})).json()["versions"]
    assert len(versions) == sum(answer.status_code in {200, 204} for answer in answers)
    assert [each["at"] for each in versions] == sorted((each["at"] for each in versions), reverse=True)
