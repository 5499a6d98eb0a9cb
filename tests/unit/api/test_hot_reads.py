"""The read before the framework answers byte for byte what the ordinary route answers, and leaves the rest to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.hot_reads import HotReads
from service.api.hot_targets import ENTITY_ROUTE, PARAMETER_ROUTE
from service.cache.entry import Answer, Detail, Glance, Outcome, Wish
from service.db.pages import Page
from service.domain.entity import EntityKey
from service.errors import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    InvalidInputError,
    NotCachedError,
    SchemaMissingError,
)
from service.metrics import Metrics
from tests.unit.api.asking import Sent, sent_by
from tests.unit.api.conftest import make_app
from tests.unit.api.stand_in import MODIFIED_AT_MS, StandIn

BODY = '{"name": "日本"}'.encode()
HIT = Answer(Outcome.HIT, 7, BODY, MODIFIED_AT_MS, age_ms=61_234, ttl_ms=238_766, cache_ms=0.31)
PATHS = ["/v1/entities/country/JP", "/v1/parameters/app:config:max_users"]

MISSED = Glance(None, 0.001)


@dataclass
class Said:
    """Answers for entities and for parameters, always the same."""

    answer: Answer | Exception
    asked: list[Any] = field(default_factory=list)

    async def get(self, key: EntityKey | str, wish: Wish, glance: Glance | None = None) -> Answer:
        assert glance in (None, MISSED)
        self.asked.append((key, wish))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def glance(self, *args: Any) -> None:
        """What the cache answers comes at once; for the rest `get` is asked, with what was seen."""
        *_, then = args
        is_hit = isinstance(self.answer, Answer) and self.answer.outcome in (Outcome.HIT, Outcome.NEGATIVE_HIT)
        asyncio.get_running_loop().call_soon(then, self.answer if is_hit else MISSED)

    async def page(self, *_: str, **said: Any) -> Page:
        return Page([], None)


@dataclass
class Told:
    """What the metrics were told of requests."""

    requests: list[tuple[str, str | None, int]] = field(default_factory=list)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((method, route, status))


class Pair:
    """One app, asked twice: through the hot reads, and past them."""

    def __init__(self, app: FastAPI, said: Said) -> None:
        self.app = app
        self.said = said
        self.passed_on = 0
        app.state.entities = app.state.parameters = said
        self._ordinary = app.hot_reads.ordinary

    async def ask(
        self, path: str, *headers: tuple[str, str], method: str = "GET", query: str = ""
    ) -> tuple[Sent, Sent, list[Any], list[Any]]:
        scope = _scope(path, *headers, method=method, query=query)

        async def passing_on(*asgi: Any) -> None:
            self.passed_on += 1
            await self._ordinary(*asgi)

        tolds = Told(), Told()
        hot = HotReads(passing_on, tolds[0])
        hot.attach(self.said, self.said)
        first = await _sent(hot, scope)
        seen, self.said.asked = self.said.asked, []
        second = await _sent(self._ordinary, scope)
        assert seen == self.said.asked or isinstance(self.said.answer, RuntimeError)
        return first, second, tolds[0].requests, seen

    async def begin(self, path: str, *headers: tuple[str, str]) -> tuple[Sent, list[Any]]:
        """The third way: of a server that begins without a task, and goes on with one where it must."""
        scope = _scope(path, *headers)
        told, waiting = Told(), Waiting()
        hot = HotReads(self._ordinary, told)
        hot.attach(self.said, self.said)
        if not hot.begin(scope, waiting):
            return await _sent(self._ordinary, scope), told.requests
        sent = await waiting.ended
        return (await _sent(self._ordinary, scope) if sent is None else sent), told.requests


class Waiting:
    """An exchange that takes a whole answer apart again; None where it was passed on."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Sent | None] = asyncio.get_running_loop().create_future()
        self.tasks: list[asyncio.Task[None]] = []

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        headers = [tuple(line.split(b": ", 1)) for line in head.removesuffix(b"\r\n").split(b"\r\n")]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        self.ended.set_result([start, {"type": "http.response.body", "body": body}])

    def run(self, rest: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(rest))

    def pass_on(self) -> None:
        self.ended.set_result(None)


def _scope(path: str, *headers: tuple[str, str], method: str = "GET", query: str = "") -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (*headers, ("x-request-id", "same"))],
    }


async def _sent(app: Any, scope: dict[str, Any]) -> Sent:
    return await sent_by(app, scope, [b""])


def plain(sent: Sent) -> list[dict[str, Any]]:
    """Without what is the same whether it is said or not: that nothing more follows."""
    return [{name: value for name, value in message.items() if name != "more_body"} for message in sent]


@pytest.fixture
async def pair(stand_in: StandIn) -> AsyncIterator[Pair]:
    app = make_app(stand_in)
    async with app.router.lifespan_context(app):
        yield Pair(app, Said(HIT))


ANSWERS = [
    HIT,
    Answer(Outcome.HIT, 7, b"", MODIFIED_AT_MS),
    Answer(Outcome.HIT, 7, BODY, MODIFIED_AT_MS, age_ms=-5, ttl_ms=-900, cache_ms=0.0),
    Answer(Outcome.NEGATIVE_HIT, 8, None, MODIFIED_AT_MS, age_ms=1_000, ttl_ms=29_000, cache_ms=0.2),
    Answer(Outcome.MISS, 7, BODY, MODIFIED_AT_MS, stored=True, cache_ms=1.0, load_ms=2.0),
    Answer(Outcome.MISS, 7, BODY, MODIFIED_AT_MS, detail=Detail.FILL_REFUSED, load_ms=2.0),
    Answer(Outcome.MISS, 0, None, 0, stored=True, cache_ms=1.0, load_ms=2.0),
    Answer(Outcome.MISS, 7, BODY, MODIFIED_AT_MS, detail=Detail.EXPIRED, load_ms=2.0),
    Answer(Outcome.BYPASS, 7, BODY, MODIFIED_AT_MS, detail=Detail.LEASE_BUSY, load_ms=2.0),
    Answer(Outcome.OFF, 7, BODY, MODIFIED_AT_MS, detail=Detail.CACHE_OFF, load_ms=2.0),
    Answer(Outcome.OFF, 0, None, 0, detail=Detail.CACHE_UNREACHABLE, load_ms=2.0),
    Answer(Outcome.STALE, 7, BODY, MODIFIED_AT_MS, age_ms=9_000, ttl_ms=-4_000, detail=Detail.STALE_IF_ERROR),
    Answer(Outcome.STALE, 8, None, MODIFIED_AT_MS, age_ms=9_000, ttl_ms=-4_000, detail=Detail.STALE_IF_ERROR),
    DatabaseUnavailableError("PostgreSQL cannot be reached"),
    DatabaseBusyError("all database connections are busy"),
    SchemaMissingError("the schema is missing", retry_after_seconds=5),
    NotCachedError("the cache has no answer to this"),
    InvalidInputError("a pointer", pointer="/a"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tag", [None, '"7"', '"8"'])
@pytest.mark.parametrize("answer", ANSWERS, ids=str)
async def test_every_answer_is_the_ordinary_one(
    pair: Pair, path: str, tag: str | None, answer: Answer | Exception
) -> None:
    pair.said.answer = answer
    hot, ordinary, told, _ = await pair.ask(path, *([("if-none-match", tag)] if tag else []))
    assert plain(hot) == plain(ordinary)
    assert pair.passed_on == 0
    begun, told_of_begun = await pair.begin(path, *([("if-none-match", tag)] if tag else []))
    assert plain(begun) == plain(ordinary)
    assert told_of_begun == told
    status = hot[0]["status"]
    assert told == [("GET", ENTITY_ROUTE if "entities" in path else PARAMETER_ROUTE, status)]


async def test_what_nobody_thought_of_is_left_to_the_ordinary_route(pair: Pair) -> None:
    pair.said.answer = RuntimeError("a defect")
    hot, ordinary, told, _ = await pair.ask(PATHS[0])
    assert plain(hot) == plain(ordinary)
    assert hot[0]["status"] == 500
    assert (pair.passed_on, told) == (1, [])
    begun, told = await pair.begin(PATHS[0])
    assert plain(begun) == plain(ordinary)
    assert told == []


async def test_a_hit_that_cannot_be_put_into_words_is_left_to_the_ordinary_route(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bytes:
        raise RuntimeError("a defect")

    _, ordinary, _, _ = await pair.ask(PATHS[0])
    monkeypatch.setattr("service.api.hot_reads.hit_head", fail)
    begun, told = await pair.begin(PATHS[0])
    assert plain(begun) == plain(ordinary)
    assert told == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cache-control", "no-cache"),
        ("cache-control", "max-age=x"),
        ("aside-min-version", "3"),
        ("if-match", '"7"'),
        ("if-match", '"6"'),
        ("if-none-match", 'W/"7"'),
        ("if-none-match", '"6", "7"'),
        ("if-none-match", "*"),
        ("if-none-match", "nonsense"),
        ("if-none-match", '"007"'),
        ("if-none-match", '"99999999999999999999"'),
        ("if-modified-since", "Fri, 20 Nov 2026 08:00:01 GMT"),
    ],
)
async def test_what_asks_for_more_is_left_to_the_ordinary_route(pair: Pair, name: str, value: str) -> None:
    hot, ordinary, _, _ = await pair.ask(PATHS[0], (name, value))
    assert plain(hot) == plain(ordinary)
    assert pair.passed_on == 1


async def test_two_tags_in_two_headers_are_left_to_the_ordinary_route(pair: Pair) -> None:
    hot, ordinary, _, _ = await pair.ask(PATHS[0], ("if-none-match", '"1"'), ("if-none-match", '"7"'))
    assert plain(hot) == plain(ordinary)
    assert pair.passed_on == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "TRACE"])
async def test_other_methods_are_left_to_the_ordinary_route(pair: Pair, path: str, method: str) -> None:
    pair.said.answer = DatabaseBusyError("busy")
    await pair_is_alike(pair, path, method=method)
    assert pair.passed_on == 1


async def test_a_query_is_left_to_the_ordinary_route(pair: Pair) -> None:
    await pair_is_alike(pair, PATHS[0], query="x=1")
    assert pair.passed_on == 1


async def pair_is_alike(pair: Pair, path: str, **request: Any) -> None:
    hot, ordinary, _, _ = await pair.ask(path, **request)
    assert plain(hot) == plain(ordinary)


segments = st.one_of(
    st.sampled_from(["country", "Country", "", "parameter", "a" * 63, "a" * 64, "JP", "JP\n", "..", "~", "a/b", "é"]),
    st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=12),
    st.from_regex(r"[A-Za-z0-9._~:@-]{1,260}", fullmatch=True),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["entities", "parameters", "entity"]),
    names=st.lists(segments, min_size=1, max_size=3),
    tag=st.sampled_from([None, '"7"', "x"]),
)
def test_whatever_the_path_the_answer_is_the_ordinary_one(kind: str, names: list[str], tag: str | None) -> None:
    async def both() -> None:
        app = make_app(StandIn())
        async with app.router.lifespan_context(app):
            pair = Pair(app, Said(HIT))
            path = "/".join(["/v1", kind, *names])
            hot, ordinary, _, _ = await pair.ask(path, *([("if-none-match", tag)] if tag else []))
            assert plain(hot) == plain(ordinary)
            begun, _ = await pair.begin(path, *([("if-none-match", tag)] if tag else []))
            assert plain(begun) == plain(ordinary)

    asyncio.run(both())


async def test_before_the_services_are_open_everything_is_passed_on() -> None:
    passed: list[str] = []

    async def ordinary(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])

    hot = HotReads(ordinary, Metrics())
    for path in PATHS:
        await _sent(hot, {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []})
    await _sent(hot, {"type": "lifespan", "path": "lifespan"})
    assert passed == [*PATHS, "lifespan"]
