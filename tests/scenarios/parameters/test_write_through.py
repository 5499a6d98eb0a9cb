"""After the acknowledgement of a write the next read of any replica is a hit, and knows it."""

from __future__ import annotations

import httpx
import pytest

from service.embedded import Valkey
from tests.support.valkey_commands import command


def is_hit(answer: httpx.Response) -> bool:
    return answer.headers["cache-status"].startswith("aside; hit; ttl=")


@pytest.mark.parametrize("before", ["never seen", "cached", "known to be absent", "evicted"])
async def test_after_a_put_the_next_get_of_another_replica_is_a_hit_with_the_new_value(
    clients: list[httpx.AsyncClient], counting_valkey: Valkey, before: str
) -> None:
    for turn in range(20):
        writer, reader = clients[turn % 2], clients[(turn + 1) % 2]
        key = f"through:{before.replace(' ', '-')}:{turn}"
        path = f"/v1/parameters/{key}"
        if before in {"cached", "evicted"}:
            await writer.put(path, json={"type": "integer", "value": -1})
            await reader.get(path)
        if before == "known to be absent":
            assert (await reader.get(path)).status_code == 404
        if before == "evicted":
            command(counting_valkey.url, "UNLINK", f"cache:parameter:{key}")
        written = await writer.put(path, json={"type": "integer", "value": turn})
        assert written.headers["aside-cache"] == "applied"
        read = await reader.get(path)
        assert (is_hit(read), read.content) == (True, written.content)


@pytest.mark.parametrize("before", ["cached", "evicted"])
async def test_after_a_delete_the_next_get_of_another_replica_is_a_negative_hit(
    clients: list[httpx.AsyncClient], counting_valkey: Valkey, before: str
) -> None:
    for turn in range(20):
        writer, reader = clients[turn % 2], clients[(turn + 1) % 2]
        key = f"delete:{before}:{turn}"
        await writer.put(f"/v1/parameters/{key}", json={"type": "integer", "value": 1})
        await reader.get(f"/v1/parameters/{key}")
        if before == "evicted":
            command(counting_valkey.url, "UNLINK", f"cache:parameter:{key}")
        assert (await writer.delete(f"/v1/parameters/{key}")).status_code == 204
        gone = await reader.get(f"/v1/parameters/{key}")
        assert (gone.status_code, is_hit(gone)) == (404, True)


async def test_after_a_rollback_the_next_get_of_another_replica_is_a_hit_with_the_old_value(
    clients: list[httpx.AsyncClient],
) -> None:
    writer, reader = clients
    path = "/v1/parameters/through:rollback"
    old = (await writer.put(path, json={"type": "integer", "value": 1})).json()
    await writer.put(path, json={"type": "integer", "value": 2})
    back = await writer.post(f"{path}/rollback", json={"version": old["version"]})
    read = await reader.get(path)
    assert (is_hit(read), read.content, read.json()["value"]) == (True, back.content, 1)


async def test_a_write_that_was_refused_leaves_the_cache_as_it_was(clients: list[httpx.AsyncClient]) -> None:
    writer, reader = clients
    path = "/v1/parameters/through:refused"
    written = await writer.put(path, json={"type": "integer", "value": 1})
    for body in ({"type": "string", "value": "x"}, {"type": "integer", "value": 1, "schema": {"minimum": 5}}):
        assert (await writer.put(path, json=body)).status_code in {409, 422}
    read = await reader.get(path)
    assert (is_hit(read), read.content) == (True, written.content)
