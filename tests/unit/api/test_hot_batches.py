"""The batch-read before the framework answers byte for byte what the ordinary route answers, and leaves it the rest."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI

from service.api.hot_batches import ENTITIES_ROUTE, PARAMETERS_ROUTE, HotBatches
from service.cache.entry import NO_WISH, Answer, Detail, Outcome
from service.errors import DatabaseBusyError, NotCachedError
from tests.unit.api.asking import Sent, sent_by
from tests.unit.api.conftest import make_app
from tests.unit.api.stand_in import MODIFIED_AT_MS, StandIn

ENTITIES, PARAMETERS = "/v1/entities/country/batch-read", "/v1/parameters/batch-read"
ASKS = {ENTITIES: "ids", PARAMETERS: "keys"}
LIMIT_BYTES = 1_000


@dataclass
class Said:
    """Answers by name, for entities and for parameters; the rest does not exist."""

    answers: dict[str, Answer | Exception] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    defect: Exception | None = None

    async def get_many(self, *what: Any) -> dict[str, Any]:
        self.asked.append(what)
        names: Sequence[str] = what[-2]
        if self.defect is not None:
            raise self.defect
        absent = Answer(Outcome.NEGATIVE_HIT, 9, None, MODIFIED_AT_MS)
        return {name: self.answers.get(name, absent) for name in names}


class Pair:
    """One app, asked twice: through the hot batches, and past them."""

    def __init__(self, app: FastAPI) -> None:
        self.said = Said()
        self.told: list[tuple[str, str | None, int]] = []
        self.passed_on = 0
        app.state.entities = app.state.parameters = self.said
        self._ordinary = app.hot_batches._ordinary
        self.hot = HotBatches(self._passing_on, self, limit_bytes=LIMIT_BYTES)
        self.hot.attach(self.said, self.said)

    async def _passing_on(self, *asgi: Any) -> None:
        self.passed_on += 1
        await self._ordinary(*asgi)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.told.append((method, route, status))

    async def ask(self, path: str, *chunks: bytes, query: bytes = b"", method: str = "POST", **headers: str) -> Sent:
        """What both answer, which is the same."""
        said = {"content-type": "application/json", "x-request-id": "same"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in said.items() if value],
        }
        self.said.asked = []
        hot = await sent_by(self.hot, scope, chunks)
        seen, self.said.asked = self.said.asked, []
        assert hot == await sent_by(self._ordinary, scope, chunks)
        assert seen == self.said.asked or self.said.defect is not None
        return hot


@pytest.fixture
async def pair(stand_in: StandIn) -> AsyncIterator[Pair]:
    app = make_app(stand_in, body_bytes=LIMIT_BYTES)
    async with app.router.lifespan_context(app):
        yield Pair(app)


@pytest.mark.parametrize(("path", "route"), [(ENTITIES, ENTITIES_ROUTE), (PARAMETERS, PARAMETERS_ROUTE)])
async def test_every_answer_is_the_ordinary_one(pair: Pair, path: str, route: str) -> None:
    pair.said.answers = {
        "hit": Answer(Outcome.HIT, 7, '{"name": "日本"}'.encode(), MODIFIED_AT_MS),
        "old": Answer(Outcome.STALE, 6, b"1", MODIFIED_AT_MS, detail=Detail.STALE_IF_ERROR),
        "busy": DatabaseBusyError("100 % of the connections are busy"),
        "uncached": NotCachedError("the cache has no answer to this"),
    }
    names = [*pair.said.answers, "absent", "hit", "not a name", "", "é", "x" * 256]
    sent = await pair.ask(path, json.dumps({ASKS[path]: names}, ensure_ascii=False).encode())
    assert (pair.passed_on, pair.told) == (0, [("POST", route, 200)])
    body = json.loads(sent[1]["body"])
    [items] = body.values()
    assert [item["status"] for item in items] == [200, 200, 503, 504, 404, 200, 422, 422, 422, 422]


async def test_it_asks_for_the_names_that_are_some_and_for_nothing_special(pair: Pair) -> None:
    await pair.hot({"type": "http", "method": "POST", "path": ENTITIES, "query_string": b"",
                    "headers": [(b"content-type", b"application/json")]},
                   lambda: _body_of(b'{"ids": ["JP", "no name", "NZ"]}'), lambda _: _nothing())  # fmt: skip
    assert pair.said.asked == [("country", ["JP", "NZ"], NO_WISH)]


async def _body_of(body: bytes) -> dict[str, Any]:
    return {"type": "http.request", "body": body}


async def _nothing() -> None:
    return None


async def test_a_body_may_come_in_pieces(pair: Pair) -> None:
    await pair.ask(ENTITIES, b'{"ids"', b': ["J', b'P"]', b"}")
    assert pair.passed_on == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"ids": []}', b'{"ids": [1]}', b'{"ids": ["\\u004aP"]}', b'{"keys": ["JP"]}',
     b'{"ids": ["JP"], "ids": []}', b'{"ids": ["' + b"x" * LIMIT_BYTES + b'"]}', b'{"ids": ["\xff"]}'],
)  # fmt: skip
async def test_an_odd_body_is_left_to_the_ordinary_route_with_all_that_was_read_of_it(pair: Pair, body: bytes) -> None:
    await pair.ask(ENTITIES, body[:5], body[5:])
    assert (pair.passed_on, pair.told) == (1, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"cache_control": "no-cache"},
        {"cache_control": "max-age=x"},
        {"aside_min_version": "3"},
        {"content_type": "application/json; charset=utf-8"},
        {"content_type": "text/plain"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
        {"content_length": "1001"},
    ],
    ids=str,
)
async def test_what_asks_for_more_is_left_to_the_ordinary_route(pair: Pair, headers: dict[str, str]) -> None:
    await pair.ask(ENTITIES, b'{"ids": ["JP"]}', **headers)
    assert pair.passed_on == 1


@pytest.mark.parametrize("path", ["/v1/entities/Country/batch-read", "/v1/entities/country/other", "/v1/parameters"])
async def test_other_paths_are_left_to_the_ordinary_route(pair: Pair, path: str) -> None:
    await pair.ask(path, b'{"ids": ["JP"]}')
    assert pair.passed_on == 1


async def test_other_methods_and_queries_are_left_to_the_ordinary_route(pair: Pair) -> None:
    await pair.ask(ENTITIES, b'{"ids": ["JP"]}', query=b"x=1")
    await pair.ask(ENTITIES, b"", method="OPTIONS")
    assert pair.passed_on == 2


async def test_a_client_that_goes_away_is_left_to_the_ordinary_route(pair: Pair) -> None:
    await pair.ask(ENTITIES)
    assert pair.passed_on == 1


async def test_what_nobody_thought_of_is_left_to_the_ordinary_route(pair: Pair) -> None:
    pair.said.defect = RuntimeError("a defect")
    sent = await pair.ask(ENTITIES, b'{"ids": ["JP"]}')
    assert sent[0]["status"] == 500
    assert (pair.passed_on, pair.told) == (1, [])
