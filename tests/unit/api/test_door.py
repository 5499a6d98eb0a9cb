"""What is refused before anything is looked up, and how that is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from service.api.clients import client_of
from service.api.door import Door
from service.api.refusals import SLOWED_SECONDS
from service.api.work import work_of
from service.domain.shedding import LOOKS, Shedding, Work
from service.domain.spacing import APART_SECONDS
from service.services.access import Access
from service.services.rate_limits import RateLimits
from tests.support.openapi_truth import OpenApiTruth
from tests.support.waiting import eventually
from tests.unit.api.conftest import open_client
from tests.unit.api.stand_in import StandIn

PATH = "/v1/entities/country/JP"
REQUESTS = {
    Work.READ: ("GET", PATH),
    Work.WRITE: ("PUT", PATH),
    Work.BULK: ("POST", "/v1/entities/country/batch-read"),
    Work.HEALTH: ("GET", "/livez"),
}


class Alone:
    """Nobody else grants anything."""

    async def add(self, client: str, amount: int) -> int:
        return amount

    async def close(self) -> None: ...


def late_by(seconds: float) -> Shedding:
    shedding = Shedding()
    for _ in range(LOOKS):
        shedding.note(seconds)
    return shedding


@pytest.fixture
async def client(app: FastAPI, stand_in: StandIn) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app), open_client(app) as client:
        stand_in.holds("country", "JP", {"name": "Japan"})
        client.event_hooks["response"].append(OpenApiTruth(app.openapi()))
        yield client


async def ask(client: httpx.AsyncClient, work: Work) -> httpx.Response:
    method, path = REQUESTS[work]
    directive = {"cache-control": "max-age=3600"}  # the ordinary routes answer
    return await client.request(method, path, json={"ids": ["JP"]} if method != "GET" else None, headers=directive)


async def metrics_of(app: FastAPI) -> str:
    async with open_client(app) as client:
        return (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("seconds", "answered"),
    [
        (0.3, {Work.READ, Work.WRITE, Work.HEALTH}),
        (1.5, {Work.WRITE, Work.HEALTH}),
        (9.0, {Work.HEALTH}),
    ],
)
async def test_a_loop_that_stays_late_refuses_what_matters_least(
    app: FastAPI, client: httpx.AsyncClient, seconds: float, answered: set[Work]
):
    app.door.attach(late_by(seconds), None)
    for work in REQUESTS:
        response = await ask(client, work)
        if work in answered:
            assert response.status_code < 400
            continue
        problem = response.json()
        assert (response.status_code, problem["type"]) == (503, "/problems/overloaded")
        assert response.headers["retry-after"] == "1"
        assert response.headers["x-request-id"] == problem["request_id"]
        assert problem["instance"] == REQUESTS[work][1]
        assert f'aside_shed_total{{class="{work.value}"}} 1.0' in await metrics_of(app)


async def test_beyond_its_rate_a_client_is_told_so_and_when_to_come_back(app: FastAPI, client: httpx.AsyncClient):
    app.door.attach(Shedding(), RateLimits(Alone(), rate=0.5, burst=3, alone_share=0.5))
    answers = [await ask(client, Work.READ) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/rate-limited"
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["ratelimit"] == '"client";r=0;t=2'
    assert refused.headers["ratelimit-policy"] == '"client";q=3;w=6'
    assert (await ask(client, Work.WRITE)).status_code == 429
    assert (await ask(client, Work.HEALTH)).status_code == 200
    assert "aside_rate_limited_total 2.0" in await metrics_of(app)


class Exchange:
    def __init__(self) -> None:
        self.replies: list[tuple[int, bytes, bytes]] = []

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        self.replies.append((status, head, body))


class Passing:
    """Is no hot read's target, so that each request comes to the door twice."""

    def begin(self, scope: Any, exchange: Any) -> bool:
        return False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["passed"] = True


class Told:
    def request(self, *_: Any) -> None: ...

    def shed(self, work: str) -> None: ...

    def rate_limited(self) -> None: ...


def scope_of(address: str = "10.0.0.1") -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": PATH, "headers": [], "client": (address, 1)}


async def test_a_request_that_goes_on_to_the_ordinary_routes_pays_once():
    passing = Passing()
    door = Door(passing, passing, Told())
    door.attach(Shedding(), RateLimits(Alone(), rate=0.001, burst=2, alone_share=0.5))
    for _ in range(2):
        scope, exchange = scope_of(), Exchange()
        assert not door.begin(scope, exchange)
        await door(scope, None, None)
        assert scope["passed"]
    assert door.begin(scope_of(), exchange)
    assert exchange.replies == []
    await eventually(lambda: exchange.replies)
    [(status, head, body)] = exchange.replies
    assert (status, body[:1]) == (429, b"{")
    assert b"content-length: %d\r\n" % len(body) in head
    assert not door.begin(scope_of("10.0.0.2"), exchange)


async def test_those_who_are_refused_together_are_not_told_together(monkeypatch: pytest.MonkeyPatch):
    delays: list[float] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda seconds, *_: delays.append(seconds))
    door = Door(Passing(), Passing(), Told())
    door.attach(Shedding(), RateLimits(Alone(), rate=0.001, burst=1, alone_share=0.5))
    assert not door.begin(scope_of(), Exchange())
    assert all(door.begin(scope_of(), Exchange()) for _ in range(64))
    assert len(delays) == 64
    assert min(delays) == delays[0] == pytest.approx(SLOWED_SECONDS)
    assert max(delays) > SLOWED_SECONDS + APART_SECONDS / 2


def test_a_client_is_its_key_where_one_was_proven_and_never_what_it_claims():
    class Keys:
        """Knows one key."""

        def recognise(self, authorization: list[bytes]) -> object:
            return SimpleNamespace(key_id="abc") if authorization == [b"Bearer good"] else None

    keys = cast(Access, Keys())
    claimed = [(b"x-forwarded-for", b"1.2.3.4"), (b"authorization", b"Bearer aside_live_abc_x_y")]
    assert client_of({"client": ("10.0.0.1", 5), "headers": claimed}, None) == "peer:10.0.0.1"
    assert client_of({"client": ("10.0.0.1", 5), "headers": claimed}, keys) == "peer:10.0.0.1"
    good = [(b"authorization", b"Bearer good")]
    assert client_of({"client": ("10.0.0.1", 5), "headers": good}, keys) == "key:abc"
    assert client_of({"client": None, "headers": []}, keys) == "peer:unknown"


@pytest.mark.parametrize(
    ("method", "path", "work"),
    [
        ("GET", "/readyz", Work.HEALTH),
        ("HEAD", PATH, Work.READ),
        ("GET", "/v1/parameters/a:b:c/value", Work.READ),
        ("GET", "/v1/parameters", Work.BULK),
        ("GET", "/v1/parameters/a:b:c/versions", Work.BULK),
        ("PUT", "/v1/parameters/a:b:c/value", Work.WRITE),
        ("POST", "/v1/batch-write", Work.BULK),
        ("GET", "/docs", Work.BULK),
    ],
)
def test_what_a_request_is_shows_in_its_method_and_path(method: str, path: str, work: Work):
    assert work_of(method, path) is work
