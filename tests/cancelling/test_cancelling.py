"""The storm in the small, and that its judges see what they are there for."""

from __future__ import annotations

import asyncio

import pytest

from service.cache.entry import NO_WISH
from service.domain.entity import EntityKey
from service.embedded import Valkey
from tests.cancelling import inside
from tests.cancelling.findings import Findings
from tests.cancelling.graph import open_graph
from tests.cancelling.outside import environment, storm_outside
from tests.cancelling.report import write_report
from tests.cancelling.rest import await_rest, look
from tests.cancelling.stages import BEFORE, stage_of
from tests.cancelling.wire import GoneError, Wire, get


@pytest.fixture
def own_valkey(valkey_factory) -> Valkey:
    """Emptied, and cut off from its clients, during the storm."""
    return valkey_factory()


async def test_a_storm_of_cancelled_requests_leaves_nothing_wrong_and_nothing_behind(database_url, own_valkey):
    found = await inside.storm_inside(
        database_url=database_url, redis_url=own_valkey.url, cancellations=1_000, seed=1, disturb_every=250
    )
    assert found.violations == []
    assert found.leaks == []
    assert found.cancelled.total() >= 1_000
    assert len(found.cancelled) > 6  # it hit requests in many stages
    assert found.checked["read"] > 500


async def test_clients_that_leave_before_they_are_answered_take_nothing_with_them(database_url, own_valkey, replicas):
    [service] = replicas(1, **environment(database_url, own_valkey.url))
    found = await storm_outside(
        service, database_url=database_url, redis_url=own_valkey.url, cancellations=250, seed=1, disturb_every=120
    )
    assert found.violations == []
    assert found.leaks == []
    assert found.cancelled.total() >= 250
    assert found.checked["read"] > 100


async def test_what_is_not_given_back_is_a_leak(database_url, redis_url, monkeypatch):
    monkeypatch.setattr("tests.cancelling.rest.SECONDS", 0.2)
    findings = Findings()
    async with open_graph(inside.storm_settings(database_url, redis_url)) as graph:
        calm = await look([graph], database_url=database_url, redis_url=redis_url)
        began = await graph.database._writers.take(timeout_seconds=1)
        await await_rest([graph], calm, findings, database_url=database_url, redis_url=redis_url)
        graph.database._writers.give_back(began)
    assert [leak for leak in findings.leaks if "free places for writers (0): 8 when calm, 7 now" in leak]


async def test_a_request_that_has_not_begun_is_told_from_one_that_waits(database_url, redis_url):
    async with open_graph(inside.storm_settings(database_url, redis_url)) as graph:
        task = asyncio.create_task(graph.entities.get(EntityKey("thing", "x"), NO_WISH))
        assert stage_of(task, graph, "thing:x") == BEFORE
        await asyncio.sleep(0)
        assert stage_of(task, graph, "thing:x").startswith("read of Redis")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_answers_go_to_their_requests_in_order_and_to_nobody_after_the_end():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "7"\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 No\r\nContent-')
        writer.write(b"Length: 2\r\n\r\nbc")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire = await Wire.open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    first, second, third = wire.send(get("/1"), get("/2"), get("/3"))
    assert await first == (200, 7, b"a")
    assert await second == (404, 0, b"bc")
    assert wire.unanswered == 1
    wire.reset()
    with pytest.raises(GoneError):
        await third
    server.close()
    await server.wait_closed()


def test_the_report_says_what_was_found(tmp_path):
    found = Findings(seconds=2.0)
    found.cancelled["in a load"] += 10
    found.violated("x was answered with y")
    write_report(tmp_path, {"in one process": found}, command="make cancel", seed=1)
    text = (tmp_path / "cancelling.md").read_text()
    assert "| in one process | 10 | 0 | 0 | 1 | 0 | 5 |" in text
    assert "- x was answered with y" in text
    assert not found.is_clean
