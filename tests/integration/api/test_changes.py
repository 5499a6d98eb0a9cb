"""The feed of changes over HTTP: pages, and streams that go on where they were cut off."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from service.cli.server_sent_events import Event, events_of
from service.embedded import Valkey
from tests.integration.api.conftest import until_ready
from tests.integration.cli.test_steering import asked
from tests.support.databases import execute_sql
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

CHANGES, STREAM = "/v1/changes", "/v1/changes/stream"
MOST_STREAMS = 3
PLAIN = "INSERT INTO entity (entity_type, id, body) SELECT '{}', 'n' || n, '1' FROM generate_series(1, {}) n"
LONG_IDS = PLAIN.format("flood", 8_000).replace("'n' || n", "rpad('n' || n, 250, 'x')")
"""More than the kernel keeps for a client that does not read: 3 MB of events."""


@pytest.fixture(scope="module")
def service(
    module_database_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    command(valkey.url, "FLUSHALL")
    environment = {
        "DATABASE_URL": module_database_url,
        "REDIS_URL": valkey.url,
        "ASIDE_LIMITS__STREAMS": str(MOST_STREAMS),
        "ASIDE_LIMITS__STREAM_HEARTBEAT_SECONDS": "0.1",
        "ASIDE_LIMITS__UNREAD_SECONDS": "0.4",
    }
    process = ServiceProcess(tmp_path_factory.mktemp("feed") / "log", environment, is_forked=True)
    try:
        yield process.start()
    finally:
        process.kill()


@pytest.fixture
async def client(service: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, timeout=20) as client:
        await until_ready(client)
        yield client


@pytest.fixture
async def now(client: httpx.AsyncClient) -> str:
    answer = await client.get(CHANGES)
    assert answer.json()["changes"] == []
    assert "link" not in answer.headers
    return str(answer.json()["cursor"])


class Listener:
    """Reads a stream, as far as it is asked to."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()
        self._waiting: list[str] = []

    async def block(self) -> Event:
        """Up to the next empty line."""
        lines = [""]
        while lines[-1] or len(lines) == 1:
            lines.append(await anext(self._lines))
        self.comment = next((line[2:] for line in lines if line.startswith(": ")), "")
        return next(iter(events_of(lines[1:])))

    async def event(self) -> Event:
        """The next one that is no heartbeat."""
        while not (event := await self.block()).name:
            pass
        return event

    async def until_its_end(self) -> None:
        while True:
            await self.block()

    async def ids(self, count: int) -> list[str]:
        return [json.loads((await self.event()).data)["id"] for _ in range(count)]


@asynccontextmanager
async def listening(client: httpx.AsyncClient, last: str | None = None, **query: str) -> AsyncIterator[Listener]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with client.stream("GET", STREAM, params=query, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield Listener(answer)


async def put(client: httpx.AsyncClient, entity_type: str, *ids: str) -> None:
    for each in ids:
        (await client.put(f"/v1/entities/{entity_type}/{each}", json={})).raise_for_status()


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [change["id"] for change in answer.json()["changes"]]


async def all_from(client: httpx.AsyncClient, path: str) -> list[str]:
    found: list[str] = []
    while path:
        answer = await client.get(path)
        found += ids(answer)
        path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    return found


async def streams_open(client: httpx.AsyncClient) -> float:
    return await metric(client, "aside_streams_open ")


async def metric(client: httpx.AsyncClient, name: str) -> float:
    text = (await client.get("/metrics")).text
    return float(next(line for line in text.splitlines() if line.startswith(name)).rpartition(" ")[2])


async def test_pages_lead_from_one_to_the_next_until_there_is_no_more(client: httpx.AsyncClient, now: str):
    await put(client, "a", "1", "2", "3", "1")
    await client.delete("/v1/entities/a/2")
    first = await client.get(CHANGES, params={"since": now, "limit": 2})
    second = await client.get(first.headers["link"].partition(">")[0].removeprefix("<"))
    third = await client.get(CHANGES, params={"since": second.json()["cursor"], "limit": 2})
    assert [ids(first), ids(second), ids(third)] == [["1", "2"], ["3", "1"], ["2"]]
    assert "link" in second.headers
    assert "link" not in third.headers
    newest = (await client.get("/v1/entities/a/1")).headers["etag"].strip('"')
    all_of_it = await client.get(CHANGES, params={"since": now})
    assert ids(all_of_it) == ["3", "1", "2"]
    [told] = [change for change in all_of_it.json()["changes"] if change["id"] == "1"]
    assert {**told, "at": ""} == {"entity_type": "a", "id": "1", "version": int(newest), "deleted": False, "at": ""}
    assert [change["deleted"] for change in all_of_it.json()["changes"]] == [False, False, True]
    assert all_of_it.headers["cache-control"] == "no-store"
    assert ids(await client.get(CHANGES, params={"since": all_of_it.json()["cursor"]})) == []


async def test_of_one_type_among_many_others_pages_go_on_also_where_they_are_empty(
    client: httpx.AsyncClient, now: str, module_database_url: str
):
    execute_sql(module_database_url, PLAIN.format("crowd", 2_500))
    await put(client, "rare", "x")
    path, found, pages = f"{CHANGES}?since={now}&entity_type=rare&limit=1", [], 0
    while path:
        answer = await client.get(path)
        found += ids(answer)
        path, pages = answer.headers.get("link", "").partition(">")[0].removeprefix("<"), pages + 1
    assert found == ["x"]
    assert pages == 4
    many = await client.get(CHANGES, params={"since": now, "entity_type": "crowd", "limit": 1000})
    assert len(ids(many)) == 1_000


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"since": "x"}, "since"),
        ({"since": "A" * 40}, "since"),
        ({"since": "oldest", "limit": "0"}, "limit"),
        ({"entity_type": "No"}, "entity_type"),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, query: dict[str, str], parameter: str):
    for path in (CHANGES, STREAM) if parameter != "limit" else (CHANGES,):
        answer = await client.get(path, params=query)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)
    answer = await client.get(STREAM, params={"seconds": "0"}, headers={"Last-Event-ID": "x"})
    assert answer.status_code == 422


async def test_a_stream_tells_what_follows_as_it_comes_and_goes_on_behind_any_event(
    client: httpx.AsyncClient, now: str
):
    await put(client, "b", "1", "2")
    async with listening(client, since=now, entity_type="b") as listener:
        events = [await listener.event() for _ in range(2)]
        await put(client, "other", "x")
        await put(client, "b", "3", "4")
        events += [await listener.event() for _ in range(2)]
    assert [json.loads(event.data)["id"] for event in events] == ["1", "2", "3", "4"]
    assert {event.name for event in events} == {"change"}
    for place, event in enumerate(events[:3]):
        # What the browser says of itself counts, and not what its first request asked for.
        async with listening(client, event.id, since=now, entity_type="b") as listener:
            assert await listener.ids(3 - place) == ["2", "3", "4"][place:]
        assert await all_from(client, f"{CHANGES}?since={event.id}&entity_type=b") == ["2", "3", "4"][place:]


async def test_many_streams_are_told_the_same_each_from_its_own_place(client: httpx.AsyncClient, now: str):
    await put(client, "c", "0")
    async with (
        listening(client, since=now) as behind,
        listening(client) as at_head,
        listening(client, entity_type="c") as of_type,
    ):
        assert (await at_head.block()).data == (await of_type.block()).data == ""
        assert await behind.ids(1) == ["0"]
        refused = await client.get(STREAM)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/overloaded")
        assert refused.headers["retry-after"] == "1"
        await put(client, "d", "1")
        await put(client, "c", "2")
        assert await behind.ids(2) == await at_head.ids(2) == ["1", "2"]
        assert await of_type.ids(1) == ["2"]
        assert await streams_open(client) == MOST_STREAMS
    await eventually(lambda: has(client, 0))


async def has(client: httpx.AsyncClient, count: int) -> bool:
    return await streams_open(client) == count


async def test_a_heartbeat_moves_the_place_on_over_what_is_not_for_this_client(client: httpx.AsyncClient, now: str):
    async with listening(client, since=now, entity_type="e") as listener:
        await put(client, "f", "1", "2")
        await eventually(lambda: moved(client, listener))
        assert listener.comment == "alive"


async def moved(client: httpx.AsyncClient, listener: Listener) -> bool:
    return ids(await client.get(CHANGES, params={"since": (await listener.block()).id})) == []


async def test_a_stream_ends_after_the_seconds_that_it_was_asked_for(client: httpx.AsyncClient):
    answer = await client.get(STREAM, params={"seconds": 1})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith(": alive\nid: ")
    assert await metric(client, 'aside_streams_ended_total{reason="time"}') >= 1
    assert await metric(client, 'aside_request_seconds_sum{method="GET",route="/v1/changes/stream",status="200"}') < (
        await metric(client, 'aside_request_seconds_count{method="GET",route="/v1/changes/stream",status="200"}')
    )


async def test_a_client_that_does_not_read_is_cut_off_and_leaves_nothing_behind(
    client: httpx.AsyncClient, service: ServiceProcess, module_database_url: str
):
    await eventually(lambda: has(client, 0))
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(("127.0.0.1", service.port))
        deaf.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await eventually(lambda: has(client, 1))
        execute_sql(module_database_url, LONG_IDS)
        await eventually(lambda: has(client, 0), within_seconds=60)
    assert (await client.get("/readyz")).status_code == 200


async def test_the_command_lists_changes_and_says_how_to_go_on(client: httpx.AsyncClient, now: str):
    await put(client, "g", "dune")
    listed = await asked(client, "changes", "--since", now, "--type", "g")
    assert "  g:dune  version " in listed.stdout
    place = listed.stderr.strip().rpartition(" ")[2]
    again = await asked(client, "changes", "--since", place, "--json")
    assert again.stdout == ""
    refused = await asked(client, "changes", "--since", "x")
    assert (refused.exit_code, "is no cursor" in refused.stderr) == (2, True)


async def test_the_command_follows_until_what_follows_is_gone(
    client: httpx.AsyncClient, now: str, module_database_url: str
):
    """The last test of all: it takes everything away, and streams that are open are told."""
    await put(client, "h", "1")
    following = asyncio.create_task(asked(client, "changes", "--follow", "--json", "--since", now, "--type", "h"))
    async with listening(client, since=now, entity_type="h") as listener:
        await listener.ids(1)
        await eventually(lambda: has(client, 2))
        await put(client, "h", "2")
        await listener.ids(1)
        execute_sql(module_database_url, "TRUNCATE entity")
        gone = await listener.event()
    problem: dict[str, Any] = json.loads(gone.data)
    assert (gone.name, problem["status"], problem["type"]) == ("gone", 410, "/problems/cursor-gone")
    ended = await following
    assert [json.loads(line)["id"] for line in ended.stdout.splitlines()] == ["1", "2"]
    assert (ended.exit_code, "read everything again" in ended.stderr) == (1, True)
    for path in (CHANGES, STREAM):
        refused = await client.get(path, params={"since": now})
        assert (refused.status_code, refused.json()["type"]) == (410, "/problems/cursor-gone")
