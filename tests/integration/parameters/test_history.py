"""What parameters were: versions, moments, the way back, the difference; and that nothing escapes the history."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import httpx
import pytest


def integer(value: int, **members: object) -> dict[str, object]:
    return {"type": "integer", "value": value, **members}


async def write(client: httpx.AsyncClient, path: str, body: object, **said: str) -> httpx.Response:
    headers = {f"Aside-{name.capitalize()}": text for name, text in said.items()}
    return (await client.put(path, json=body, headers=headers)).raise_for_status()


async def versions(client: httpx.AsyncClient, path: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await client.get(f"{path}/versions?limit=1000")).json()["versions"]
    return found


async def test_every_version_says_what_when_who_and_why(client: httpx.AsyncClient, path: str) -> None:
    await write(client, path, integer(1), actor="ann", reason="launch")
    await write(client, path, integer(2), actor="%E5%A4%AA%E9%83%8E")
    await client.delete(path, headers={"Aside-Actor": "bob", "Aside-Reason": "end"})
    await write(client, path, integer(3))
    told = [(each["kind"], each["value"], each["actor"], each["reason"]) for each in await versions(client, path)]
    assert told == [
        ("created", 3, None, None),
        ("deleted", None, "bob", "end"),
        ("updated", 2, "太郎", None),
        ("created", 1, "ann", "launch"),
    ]


async def test_versions_come_in_pages_newest_first(client: httpx.AsyncClient, path: str) -> None:
    for value in range(7):
        await write(client, path, integer(value))
    seen: list[object] = []
    place: str | None = f"{path}/versions?limit=3"
    while place is not None:
        page = await client.get(place)
        seen += [each["value"] for each in page.json()["versions"]]
        place = page.links["next"]["url"] if "next" in page.links else None
        assert (page.json()["next_cursor"] is None) is (place is None)
    assert seen == [6, 5, 4, 3, 2, 1, 0]


async def test_an_old_version_and_an_old_moment_can_be_read(client: httpx.AsyncClient, path: str) -> None:
    before = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    first = await write(client, path, integer(1, description="one"), actor="ann")
    await write(client, path, integer(2))
    deleted_version = None
    await client.delete(path)
    deleted_version = (await versions(client, path))[0]["version"]

    old = await client.get(f"{path}?version={first.json()['version']}")
    assert old.json() == first.json()
    assert old.headers["etag"] == first.headers["etag"]
    assert old.headers["cache-status"] == "aside; fwd=bypass; detail=history"
    assert (await client.get(f"{path}?at={first.json()['updated_at']}")).json() == first.json()
    assert (await client.get(f"{path}/value?at={first.json()['updated_at']}")).json() == 1
    assert (await client.get(f"{path}?at={before}")).status_code == 404
    assert (await client.get(f"{path}?at=2100-01-01T00:00:00%2B09:00")).status_code == 404
    assert (await client.get(f"{path}?version={deleted_version}")).status_code == 404
    assert (await client.get(f"{path}?version=1000000000")).status_code == 404


async def test_going_back_is_a_new_version_with_all_of_the_old_one(client: httpx.AsyncClient, path: str) -> None:
    old = await write(client, path, integer(1, description="d", schema={"maximum": 5}, ttl_seconds=9), actor="ann")
    tag = (await write(client, path, integer(2))).headers["etag"]
    version = {"version": old.json()["version"]}
    refused = await client.post(f"{path}/rollback", json=version, headers={"If-Match": old.headers["etag"]})
    assert refused.status_code == 412
    headers = {"If-Match": tag, "Aside-Actor": "bob"}
    back = await client.post(f"{path}/rollback", json=version, headers=headers)
    assert (back.status_code, back.json()["version"] > int(tag.strip('"'))) == (200, True)
    kept = ("type", "value", "description", "schema", "ttl_seconds")
    assert {name: back.json()[name] for name in kept} == {name: old.json()[name] for name in kept}
    assert back.json()["updated_by"] == "bob"
    assert (await client.get(path)).content == back.content
    newest = (await versions(client, path))[0]
    assert (newest["kind"], newest["actor"]) == ("rolled_back", "bob")
    assert newest["reason"] == f"rollback to version {version['version']}"


async def test_a_deleted_parameter_can_be_brought_back_but_no_deletion_can_be_gone_back_to(
    client: httpx.AsyncClient, path: str
) -> None:
    old = await write(client, path, integer(1))
    await client.delete(path)
    deletion = (await versions(client, path))[0]["version"]
    assert (await client.post(f"{path}/rollback", json={"version": deletion})).status_code == 409
    back = await client.post(f"{path}/rollback", json={"version": old.json()["version"]})
    assert (back.status_code, back.headers["location"]) == (201, path)
    assert (await client.get(f"{path}/value")).json() == 1
    for body, status in (
        ({"version": 999_999_999}, 404),
        ({"version": "1"}, 422),
        ({}, 422),
        ([], 422),
        ({"version": 1, "x": 1}, 422),
    ):
        assert (await client.post(f"{path}/rollback", json=body)).status_code == status


async def test_going_back_to_another_type_takes_saying_so(client: httpx.AsyncClient, path: str) -> None:
    old = (await write(client, path, integer(1))).json()["version"]
    await write(client, f"{path}?change_type=true", {"type": "string", "value": "one"})
    assert (await client.post(f"{path}/rollback", json={"version": old})).status_code == 409
    assert (await client.post(f"{path}/rollback?change_type=true", json={"version": old})).status_code == 200


async def test_the_difference_of_two_versions_is_a_json_patch(client: httpx.AsyncClient, path: str) -> None:
    one = (await write(client, path, {"type": "json", "value": {"a": [1, 2], "n": 1.0}})).json()["version"]
    two = (await write(client, path, {"type": "json", "value": {"a": [2], "n": 1}, "ttl_seconds": 5})).json()["version"]
    there = await client.get(f"{path}/diff?from={one}&to={two}")
    assert there.headers["content-type"] == "application/json-patch+json"
    assert there.text == (
        '[{"op": "remove", "path": "/value/a/0"}, {"op": "replace", "path": "/value/n", "value": 1}, '
        '{"op": "replace", "path": "/ttl_seconds", "value": 5}]'
    )
    assert (await client.get(f"{path}/diff?from={one}")).text == there.text
    assert (await client.get(f"{path}/diff?from={two}")).json() == []
    await client.delete(path)
    assert (await client.get(f"{path}/diff?from={one}")).json() == [{"op": "remove", "path": ""}]


async def test_plain_sql_is_in_the_history_with_the_role_that_did_it(
    client: httpx.AsyncClient, database: asyncpg.Connection, key: str, path: str
) -> None:
    await write(client, path, integer(1), actor="ann")
    its = "WHERE entity_type = 'parameter' AND id = $1"
    change = f"UPDATE entity SET body = jsonb_set(body, '{{value}}', $2::text::jsonb) {its}"
    await database.execute(change, key, "2")
    async with database.transaction():
        await database.execute('SELECT set_config(\'aside.note\', \'{"actor": "dba", "reason": "incident"}\', true)')
        await database.execute(change, key, "3")
    await database.execute(f"DELETE FROM entity {its}", key)
    born = '{"type": "integer", "value": 4, "ttl_seconds": 7}'
    await database.execute("INSERT INTO entity (entity_type, id, body) VALUES ('parameter', $1, $2)", key, born)
    told = [(each["kind"], each["value"], each["actor"], each["reason"]) for each in await versions(client, path)]
    assert told == [
        ("created", 4, "postgresql:postgres", None),
        ("deleted", None, "postgresql:postgres", None),
        ("updated", 3, "dba", "incident"),
        ("updated", 2, "postgresql:postgres", None),
        ("created", 1, "ann", None),
    ]
    now = (await client.get(path, headers={"Cache-Control": "no-cache"})).json()
    assert (now["value"], now["updated_by"], now["ttl_seconds"]) == (4, "postgresql:postgres", 7)


@pytest.mark.parametrize(
    "body",
    ['{"type": "integer", "value": "1"}', '{"type": "integer", "value": 1.0}', '{"type": "int", "value": 1}', "5",
     '{"type": "string"}', '{"type": "boolean", "value": 1}', '{"type": "duration", "value": "1h"}',
     '{"type": "datetime", "value": "2026-11-20T08:00:00+09:00"}', '{"type": "json", "value": 1, "ttl_seconds": -1}'],
)  # fmt: skip
async def test_plain_sql_cannot_make_a_parameter_lie_about_its_type(database: asyncpg.Connection, body: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute(
            "INSERT INTO entity (entity_type, id, body) VALUES ('parameter', 'lie', $1::text::jsonb)", body
        )


async def test_plain_sql_does_not_change_a_type_by_accident(
    client: httpx.AsyncClient, database: asyncpg.Connection, key: str, path: str
) -> None:
    await write(client, path, integer(1))
    change = (
        'UPDATE entity SET body = \'{"type": "boolean", "value": true}\' WHERE entity_type = \'parameter\' AND id = $1'
    )
    with pytest.raises(asyncpg.PostgresError, match="of type integer"):
        await database.execute(change, key)
    async with database.transaction():
        await database.execute("SELECT set_config('aside.note', '{\"change_type\": true}', true)")
        await database.execute(change, key)


async def test_a_renamed_parameter_ends_under_one_key_and_begins_under_another(
    client: httpx.AsyncClient, database: asyncpg.Connection, key: str, path: str
) -> None:
    await write(client, path, integer(1))
    await database.execute("UPDATE entity SET id = $1 || ':new' WHERE entity_type = 'parameter' AND id = $1", key)
    assert [each["kind"] for each in await versions(client, path)] == ["deleted", "created"]
    assert [each["kind"] for each in await versions(client, f"{path}:new")] == ["created"]


async def test_a_write_that_fails_leaves_no_history(
    client: httpx.AsyncClient, database: asyncpg.Connection, key: str, path: str
) -> None:
    await write(client, path, integer(1))
    transaction = database.transaction()
    await transaction.start()
    await database.execute("UPDATE entity SET deleted = true WHERE entity_type = 'parameter' AND id = $1", key)
    await transaction.rollback()
    assert [each["kind"] for each in await versions(client, path)] == ["created"]
