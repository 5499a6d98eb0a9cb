"""What a client sees of one parameter, through HTTP, over the real service."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

LIMIT = {"type": "integer", "value": 100, "description": "so many", "schema": {"maximum": 1000}, "ttl_seconds": 60}


async def test_from_nothing_to_nothing(client: httpx.AsyncClient, key: str, path: str) -> None:
    assert (await client.get(path)).status_code == 404

    created = await client.put(path, json=LIMIT, headers={"Aside-Actor": "ann"})
    assert (created.status_code, created.headers["location"]) == (201, path)
    stamps = {"key": key, "version": int(created.headers["etag"].strip('"')), "updated_by": "ann"}
    assert created.json() == {**LIMIT, **stamps, "updated_at": created.json()["updated_at"]}
    assert list(created.json()) == [
        "key", "type", "value", "version", "description", "schema", "ttl_seconds", "updated_at", "updated_by"
    ]  # fmt: skip

    read = await client.get(path)
    assert read.content == created.content
    assert read.headers["cache-status"].startswith("aside; hit; ttl=")
    assert read.headers["etag"] == created.headers["etag"]

    replaced = await client.put(path, json={"type": "integer", "value": 5})
    assert replaced.status_code == 200
    assert replaced.json()["schema"] is None
    assert replaced.json()["updated_by"] is None
    assert (await client.get(path)).content == replaced.content

    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await client.get(path)
    assert (gone.status_code, gone.headers["cache-status"].startswith("aside; hit; ttl=")) == (404, True)
    assert (await client.delete(path)).status_code == 404
    assert (await client.put(path, json={"type": "string", "value": "of another type"})).status_code == 201


async def test_the_bare_value_and_head(client: httpx.AsyncClient, path: str) -> None:
    tag = (await client.put(path, json={"type": "json", "value": {"value": [1.5]}})).headers["etag"]
    value = await client.get(f"{path}/value")
    assert (value.json(), value.headers["etag"]) == ({"value": [1.5]}, tag)
    assert (await client.get(f"{path}/value", headers={"If-None-Match": tag})).status_code == 304
    for place in (path, f"{path}/value"):
        get, head = await client.get(place), await client.head(place)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(get.content))
    assert (await client.get(f"{path}x/value")).status_code == 404
    assert (await client.head(f"{path}x")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "sent", "served"),
    [
        ("string", '"日本 \\u0001 \\\\"', '"日本 \\u0001 \\\\"'),
        ("integer", "9007199254740993", "9007199254740993"),
        ("integer", "-" + "9" * 4_000, "-" + "9" * 4_000),
        ("integer", "-0", "0"),
        ("number", "1.50", "1.50"),
        ("number", "1e2", "100"),
        ("number", "-0.0", "0.0"),
        ("number", "0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("boolean", "false", "false"),
        ("json", "null", "null"),
        ("json", "[1.0, 12345678901234567890]", "[1.0, 12345678901234567890]"),
        ("duration", '"PT90M"', '"PT1H30M"'),
        ("datetime", '"2026-11-20T09:00:00.250+09:00"', '"2026-11-20T00:00:00.25Z"'),
    ],
)
async def test_a_value_is_served_exactly(
    client: httpx.AsyncClient, path: str, *, kind: str, sent: str, served: str
) -> None:
    body = f'{{"type": "{kind}", "value": {sent}}}'
    written = await client.put(path, content=body.encode(), headers={"Content-Type": "application/json"})
    assert written.status_code == 201, written.text
    for wish in ({}, {"Cache-Control": "no-cache"}):
        assert (await client.get(f"{path}/value", headers=wish)).text == served


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1"),
        ("integer", True),
        ("integer", 1.0),
        ("number", "1"),
        ("number", False),
        ("boolean", 1),
        ("boolean", "true"),
        ("string", 1),
        ("string", None),
        ("duration", 5),
        ("duration", "5s"),
        ("datetime", "2026-11-20T08:00:00"),
        ("datetime", 1_795_161_600),
    ],
)
async def test_a_value_of_another_type_is_refused_and_not_coerced(
    client: httpx.AsyncClient, path: str, kind: str, value: object
) -> None:
    answer = await client.put(path, json={"type": kind, "value": value})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-parameter")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/value"]
    assert (await client.get(path)).status_code == 404


async def test_a_value_that_violates_its_schema_is_refused_with_the_path_of_the_violation(
    client: httpx.AsyncClient, path: str
) -> None:
    schema = {
        "type": "object",
        "required": ["hosts"],
        "properties": {"hosts": {"items": {"$ref": "#/$defs/host"}}},
        "$defs": {"host": {"properties": {"port": {"type": "integer", "maximum": 65535}}}},
    }
    good = {"type": "json", "schema": schema, "value": {"hosts": [{"port": 80}]}}
    tag = (await client.put(path, json=good)).headers["etag"]
    for query in ("", "?dry_run=true"):
        bad = await client.put(path + query, json={**good, "value": {"hosts": [{"port": 80}, {"port": 65536}]}})
        assert (bad.status_code, bad.json()["type"]) == (422, "/problems/schema-violation")
        [fault] = bad.json()["errors"]
        assert fault["pointer"] == "/value/hosts/1/port"
        assert "65535" in fault["detail"]
    missing = await client.put(path, json={**good, "value": {}})
    assert [fault["pointer"] for fault in missing.json()["errors"]] == ["/value"]
    assert (await client.get(path)).headers["etag"] == tag


async def test_a_schema_that_is_none_is_refused_with_the_place(client: httpx.AsyncClient, path: str) -> None:
    schema = {"properties": {"a": {"type": "nonsense"}}}
    answer = await client.put(path, json={"type": "json", "value": {}, "schema": schema})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unusable-schema")
    assert answer.json()["errors"][0]["pointer"] == "/schema/properties/a/type"


async def test_a_parameter_keeps_its_type_unless_the_writer_says_otherwise(
    client: httpx.AsyncClient, path: str
) -> None:
    await client.put(path, json={"type": "integer", "value": 1})
    text = {"type": "string", "value": "1"}
    for query in ("", "?dry_run=true", "?change_type=false"):
        refused = await client.put(path + query, json=text)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/type-change")
    assert (await client.get(f"{path}/value")).json() == 1
    assert (await client.put(f"{path}?change_type=true", json=text)).status_code == 200
    assert (await client.get(f"{path}/value")).json() == "1"


async def test_the_value_alone_can_be_set_and_everything_else_stays(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.put(f"{path}/value", json=1)).status_code == 404
    created = await client.put(path, json=LIMIT)
    changed = await client.put(f"{path}/value", json=150, headers={"Aside-Actor": "bob"})
    assert (changed.status_code, changed.headers["content-location"]) == (200, path)
    kept = ("type", "description", "schema", "ttl_seconds")
    assert {name: changed.json()[name] for name in kept} == {name: LIMIT[name] for name in kept}
    assert (changed.json()["value"], changed.json()["updated_by"]) == (150, "bob")
    assert (await client.get(path)).content == changed.content
    for wrong, kind in (("150", "invalid-parameter"), (1_500, "schema-violation")):
        refused = await client.put(f"{path}/value", json=wrong)
        assert (refused.status_code, refused.json()["type"]) == (422, f"/problems/{kind}")
        assert [fault["pointer"] for fault in refused.json()["errors"]] == [""]
    late = await client.put(f"{path}/value", json=5, headers={"If-Match": created.headers["etag"]})
    assert (late.status_code, late.headers["etag"]) == (412, changed.headers["etag"])
    current = {"If-Match": changed.headers["etag"]}
    assert (await client.put(f"{path}/value", json=5, headers=current)).status_code == 200


async def test_values_that_are_set_at_the_same_moment_are_all_kept_with_the_schema(
    client: httpx.AsyncClient, path: str
) -> None:
    await client.put(path, json=LIMIT)
    answers = await asyncio.gather(*(client.put(f"{path}/value", json=n) for n in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    versions = (await client.get(f"{path}/versions")).json()["versions"]
    assert {each["value"] for each in versions} == {*range(8), LIMIT["value"]}
    assert (await client.get(path)).json()["schema"] == LIMIT["schema"]


async def test_a_dry_run_shows_the_difference_and_writes_nothing(client: httpx.AsyncClient, path: str) -> None:
    one, two = {"type": "integer", "value": 1}, {"type": "integer", "value": 2, "ttl_seconds": 5}
    would = (await client.put(f"{path}?dry_run=true", json=one)).json()
    assert (would["would"], would["version"], would["patch"][0]["op"]) == ("create", None, "add")
    assert (await client.get(path)).status_code == 404

    version = (await client.put(path, json=one)).json()["version"]
    before = await client.get(path)
    changed = await client.put(f"{path}?dry_run=true", json=two)
    assert changed.json() == {
        "would": "update",
        "version": version,
        "patch": [
            {"op": "replace", "path": "/value", "value": 2},
            {"op": "replace", "path": "/ttl_seconds", "value": 5},
        ],
    }
    deleted = await client.delete(f"{path}?dry_run=true")
    assert deleted.json() == {"would": "delete", "version": version, "patch": [{"op": "remove", "path": ""}]}
    for condition in ({"If-Match": '"1"'}, {"If-None-Match": "*"}):
        refused = await client.put(f"{path}?dry_run=true", json=two, headers=condition)
        assert (refused.status_code, refused.headers["etag"]) == (412, f'"{version}"')
    assert (await client.delete(f"{path}x?dry_run=true")).status_code == 404
    assert (await client.get(path)).content == before.content
    assert len((await client.get(f"{path}/versions")).json()["versions"]) == 1


async def test_of_two_writers_on_condition_of_one_version_one_wins_and_nobodys_history_is_lost(
    client: httpx.AsyncClient, path: str
) -> None:
    tag = (await client.put(path, json={"type": "integer", "value": 0})).headers["etag"]
    writers = ("ann", "bob")
    answers = await asyncio.gather(
        *(
            client.put(path, json={"type": "integer", "value": n}, headers={"If-Match": tag, "Aside-Actor": writer})
            for n, writer in enumerate(writers, start=1)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    loser = 1 - winner
    assert answers[loser].headers["etag"] == answers[winner].headers["etag"]
    again = {"If-Match": answers[loser].headers["etag"], "Aside-Actor": writers[loser]}
    assert (await client.put(path, json={"type": "integer", "value": loser + 1}, headers=again)).status_code == 200
    told = [(each["actor"], each["value"]) for each in (await client.get(f"{path}/versions")).json()["versions"]]
    assert told == [(writers[loser], loser + 1), (writers[winner], winner + 1), (None, 0)]


async def test_a_crowd_of_writers_leaves_one_version_each(client: httpx.AsyncClient, path: str) -> None:
    answers = await asyncio.gather(*(client.put(path, json={"type": "integer", "value": n}) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    versions = (await client.get(f"{path}/versions")).json()["versions"]
    assert {each["value"] for each in versions} == set(range(20))
    assert versions[0]["value"] == (await client.get(f"{path}/value")).json()
    assert {each["version"] for each in versions} == {answer.json()["version"] for answer in answers}


async def test_conditions_hold_for_every_write(client: httpx.AsyncClient, path: str) -> None:
    body = {"type": "integer", "value": 1}
    assert (await client.put(path, json=body, headers={"If-Match": "*"})).status_code == 412
    assert (await client.put(path, json=body, headers={"If-None-Match": "*"})).status_code == 201
    assert (await client.put(path, json=body, headers={"If-None-Match": "*"})).status_code == 412
    assert (await client.delete(path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await client.delete(path, headers={"If-None-Match": "*"})).status_code == 412
    assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 204


async def test_a_lifetime_of_its_own_is_used_and_an_hour_otherwise(client: httpx.AsyncClient, path: str) -> None:
    async def left() -> int:
        status = (await client.get(path)).headers["cache-status"]
        return int(status.removeprefix("aside; hit; ttl="))

    await client.put(path, json={"type": "integer", "value": 1, "ttl_seconds": 20})
    assert 15 < await left() <= 20
    await client.put(path, json={"type": "integer", "value": 1})
    assert 3_000 < await left() <= 3_600


async def test_what_was_read_can_be_sent_back(client: httpx.AsyncClient, path: str) -> None:
    created = await client.put(path, json=LIMIT)
    document = json.loads((await client.get(path)).content)
    document["value"] += 1
    answer = await client.put(path, json=document, headers={"If-Match": created.headers["etag"]})
    assert (answer.status_code, answer.json()["value"]) == (200, 101)


async def test_the_reserved_type_is_read_as_an_entity_and_not_written(client: httpx.AsyncClient, key: str) -> None:
    entity = f"/v1/entities/parameter/{key}"
    made = await client.put(f"/v1/parameters/{key}", json=LIMIT)
    assert (await client.get(entity)).content == made.content
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await client.request(method, entity, json=None if method == "DELETE" else {})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.json()["type"] == "/problems/reserved-type"
    assert (await client.get(f"/v1/parameters/{key}")).content == made.content
