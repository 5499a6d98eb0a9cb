"""The ACL file of the cache, asked command by command: what Aside gives is allowed, and nothing else is."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from service.doctor.redis_server import _NEEDED
from tests.support.compose import ROOT

BESIDES = ("CLIENT SETNAME aside", "CLIENT SETINFO LIB-NAME redis-py", "EVAL x 0", "GET aside:hb", "HELLO 3")
OTHER_KEYS = ("GET other", "SET cache2:x y", "SET aside:other x", "MGET cache:x:y other")
ALWAYS = {"auth", "hello", "quit", "reset"}
"""Which no ACL forbids: they are how one logs in and out."""


@pytest.fixture
async def admin(valkey_factory, tmp_path):
    """Somebody who may do all, on a server with the users of compose.yaml, but for the default one."""
    acl = tmp_path / "users.acl"
    off, *users = (
        (ROOT / "deploy/compose/valkey.acl").read_text().replace("CACHE_PASSWORD_SHA256", "0" * 64).split("\n")
    )
    assert off.startswith("user default off ")
    acl.write_text("\n".join(["user default on nopass ~* &* +@all", *users]))
    server = valkey_factory(options={"aclfile": str(acl)})
    async with Redis.from_url(server.url, decode_responses=True) as client:
        client.set_response_callback("COMMAND", lambda reply, **_: reply)  # as the server says it
        yield client


async def said_of(admin: Redis, *words: str) -> str:
    return str(await admin.execute_command("ACL DRYRUN", "aside", *words))


async def test_what_aside_gives_is_allowed_and_on_its_own_keys_only(admin):
    refused = {
        command for command in (*_NEEDED, *BESIDES) if await said_of(admin, *command.split()) not in {"OK", "True"}
    }
    assert refused == set()
    for command in OTHER_KEYS:
        assert "key" in await said_of(admin, *command.split())


async def test_no_other_command_is_allowed(admin):
    acl = (ROOT / "deploy/compose/valkey.acl").read_text().splitlines()[-1]
    allowed = {word[1:] for word in acl.split() if word.startswith("+")} | ALWAYS
    said = {}
    for each in await admin.execute_command("COMMAND"):
        for name, arity, *_ in each[9] or [each]:  # a container counts by what is in it
            if name not in allowed:
                words = [*name.split("|"), *["x"] * (abs(arity) - 1 - name.count("|"))]
                said[name] = await said_of(admin, *words)
    assert {"flushall", "config|set", "keys", "del", "acl|setuser", "client|kill"} <= said.keys()
    assert {name: text for name, text in said.items() if "has no permissions to run" not in text} == {}
