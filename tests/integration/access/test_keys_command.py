"""`aside keys`: the first key is made without one; each is shown once; what becomes of it is kept."""

from __future__ import annotations

import asyncpg

from service.domain.key_text import digest_of, id_in_key
from tests.support.aside_command import Ended, aside


async def test_a_key_lives_is_rotated_and_revoked(database_url: str, sql: asyncpg.Connection):
    async def keys(*arguments: str) -> Ended:
        return await aside("keys", *arguments, DATABASE_URL=database_url, ASIDE_ACTOR="ann")

    made = await keys("create", "shop", "--scope", "read:*", "--scope", "write:price-*", "--expires", "90d")
    text = made.stdout.strip()
    key_id = id_in_key(text)
    assert key_id is not None
    assert text not in made.stderr
    assert await sql.fetchval("SELECT digest FROM api_key WHERE id = $1", key_id) == digest_of(text.encode())

    again = await keys("create", "shop", "--scope", "read:*")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "rotate it" in again.stderr

    successor = (await keys("rotate", key_id, "--overlap", "1h", "--json")).told
    assert successor["replaces"] == key_id
    assert successor["scopes"] == ["read:*", "write:price-*"]
    assert (await keys("rotate", successor["id"])).exit_code == 1  # two are live

    revoked = (await keys("revoke", key_id, "--reason", "leaked", "--json")).told["keys"][0]
    assert revoked["revoked_at"] is not None
    listed = (await keys("list", "--json")).told["keys"]
    assert [key["id"] for key in listed] == [successor["id"], key_id]
    shown = (await keys("show", key_id, "--json")).told
    assert [(event["kind"], event["actor"]) for event in shown["history"]] == [
        ("revoked", "ann"), ("changed", "ann"), ("created", "ann"),
    ]  # fmt: skip
    assert shown["history"][0]["reason"] == "leaked"
    assert text not in (await keys("list")).stdout + (await keys("show", key_id)).stdout


async def test_what_cannot_be_is_refused_with_a_sentence(database_url: str):
    for arguments, code in {
        ("create", "a b", "--scope", "read:*"): 1,
        ("create", "a", "--scope", "fly:*"): 2,
        ("create", "a", "--scope", "read:*", "--expires", "soon"): 2,
        ("revoke", "nothing"): 1,
        ("rotate", "nothing"): 1,
    }.items():
        ended = await aside("keys", *arguments, DATABASE_URL=database_url)
        assert (ended.exit_code, ended.stdout) == (code, ""), ended
        assert "Traceback" not in ended.stderr
