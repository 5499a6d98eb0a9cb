"""The PUT before the framework answers byte for byte what the ordinary route answers, and leaves it the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI

from service.api.hot_targets import ENTITY_ROUTE
from service.api.hot_writes import HotWrites
from service.cache.entry import Settled
from service.domain.entity import ALWAYS, EntityKey, WrittenRow
from service.errors import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    OverloadedError,
    UnacceptableDocumentError,
    WriteOutcomeUnknownError,
)
from service.services.writing import Written
from tests.unit.api.asking import Sent, sent_by
from tests.unit.api.conftest import make_app
from tests.unit.api.stand_in import MODIFIED_AT_MS, StandIn

PATH = "/v1/entities/country/JP"
LIMIT_BYTES = 1_000
BODY = '{"name": "日本"}'.encode()


@dataclass
class Said:
    """What a write comes to, always the same."""

    comes_to: Written | Exception = field(
        default_factory=lambda: Written(WrittenRow(7, BODY, MODIFIED_AT_MS, None, created=True), Settled.APPLIED)
    )
    asked: list[Any] = field(default_factory=list)

    async def put(self, key: EntityKey, document: bytes, **how: Any) -> Written:
        self.asked.append((key, document, {name: value for name, value in how.items() if value is not None}))
        if isinstance(self.comes_to, Exception):
            raise self.comes_to
        return self.comes_to


class Pair:
    """One app, asked twice: through the hot writes, and past them."""

    def __init__(self, app: FastAPI) -> None:
        self.said = Said()
        self.told: list[tuple[str, str | None, int]] = []
        self.passed_on = 0
        app.state.entities = self.said
        self._ordinary = app.hot_writes._ordinary
        self.hot = HotWrites(self._passing_on, self, app.state.limits)
        self.hot.attach(self.said)

    async def _passing_on(self, *asgi: Any) -> None:
        self.passed_on += 1
        await self._ordinary(*asgi)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.told.append((method, route, status))

    async def ask(self, path: str, *chunks: bytes, query: bytes = b"", method: str = "PUT", **headers: str) -> Sent:
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
        assert seen == self.said.asked
        return hot


@pytest.fixture
async def pair(stand_in: StandIn) -> AsyncIterator[Pair]:
    app = make_app(stand_in, body_bytes=LIMIT_BYTES)
    async with app.router.lifespan_context(app):
        yield Pair(app)


@pytest.mark.parametrize("settled", Settled)
@pytest.mark.parametrize("status", [201, 200])
async def test_what_was_written_is_answered_as_ever(pair: Pair, settled: Settled, status: int) -> None:
    pair.said.comes_to = Written(WrittenRow(7, BODY, MODIFIED_AT_MS, 2.5, created=status == 201), settled)
    sent = await pair.ask(PATH, BODY)
    assert (pair.passed_on, pair.told) == (0, [("PUT", ENTITY_ROUTE, status)])
    assert (sent[0]["status"], sent[1]["body"]) == (status, BODY)


async def test_the_service_is_asked_once_for_what_was_sent_and_for_nothing_special(pair: Pair) -> None:
    await sent_by(
        pair.hot,
        {"type": "http", "method": "PUT", "path": PATH, "query_string": b"",
         "headers": [(b"content-type", b"application/json")]},
        [b'{"a"', b": 1}"],
    )  # fmt: skip
    assert pair.said.asked == [(EntityKey("country", "JP"), b'{"a": 1}', {"condition": ALWAYS, "wait": True})]


@pytest.mark.parametrize(
    "error",
    [
        DatabaseBusyError("100 % of the connections are busy"),
        DatabaseUnavailableError("PostgreSQL cannot be reached"),
        OverloadedError("too many writes wait for PostgreSQL", work="write"),
        UnacceptableDocumentError("PostgreSQL cannot keep this document"),
        WriteOutcomeUnknownError("the write may have happened or not: read before trying again"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_write_that_fails_is_answered_as_ever_and_not_tried_again(pair: Pair, error: Exception) -> None:
    pair.said.comes_to = error
    [start, _] = await pair.ask(PATH, BODY)
    assert (pair.passed_on, pair.told) == (0, [("PUT", ENTITY_ROUTE, start["status"])])


async def test_what_nobody_thought_of_is_answered_and_raised_as_ever_and_not_tried_again(pair: Pair) -> None:
    pair.said.comes_to = RuntimeError("a defect")
    sent = await pair.ask(PATH, BODY)
    assert (sent[0]["status"], sent[-1]) == (500, {"raised": "a defect"})
    assert (pair.passed_on, pair.told) == (0, [("PUT", ENTITY_ROUTE, 500)])


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": 1, "a": 2}', b'"\\u0000"', b"[" * 300, b"NaN", b'"' + b"x" * LIMIT_BYTES + b'"']
)
async def test_a_body_that_is_refused_is_left_to_the_ordinary_route_with_all_that_was_read(
    pair: Pair, body: bytes
) -> None:
    await pair.ask(PATH, body[:5], body[5:])
    assert (pair.passed_on, pair.told, pair.said.asked) == (1, [], [])


@pytest.mark.parametrize(
    "headers",
    [
        {"if_match": '"7"'},
        {"if_none_match": "*"},
        {"if_unmodified_since": "Fri, 20 Nov 2026 08:00:00 GMT"},
        {"idempotency_key": '"once"'},
        {"idempotency_key": "not a string"},
        {"prefer": "respond-async"},
        {"content_type": "application/json; charset=utf-8"},
        {"content_type": "application/geo+json"},
        {"content_type": "text/plain"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
        {"content_length": "1001"},
    ],
    ids=str,
)
async def test_what_asks_for_more_is_left_to_the_ordinary_route(pair: Pair, headers: dict[str, str]) -> None:
    await pair.ask(PATH, BODY, **headers)
    assert pair.passed_on == 1


@pytest.mark.parametrize("path", ["/v1/entities/Country/JP", "/v1/entities/country/no name", "/v1/entities/country"])
async def test_other_paths_are_left_to_the_ordinary_route(pair: Pair, path: str) -> None:
    await pair.ask(path, BODY)
    assert pair.passed_on == 1


@pytest.mark.parametrize("path", ["/v1/parameters/app:config:max_users", "/v1/entities/parameter/app:config:max_users"])
async def test_parameters_are_never_written_as_documents(pair: Pair, path: str) -> None:
    await sent_by(
        pair.hot,
        {"type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "query_string": b"",
         "headers": [(b"content-type", b"application/json")]},
        [b"{}"],
    )  # fmt: skip
    assert pair.passed_on == 1


async def test_other_methods_and_queries_are_left_to_the_ordinary_route(pair: Pair) -> None:
    await pair.ask(PATH, BODY, query=b"ttl_seconds=3")
    await pair.ask(PATH, BODY, method="OPTIONS")
    assert pair.passed_on == 2


async def test_a_client_that_goes_away_is_left_to_the_ordinary_route(pair: Pair) -> None:
    await pair.ask(PATH)
    assert pair.passed_on == 1


@pytest.mark.parametrize("passed_on", [0, 1])
async def test_only_what_a_key_allows_for_certain_is_written_here(pair: Pair, passed_on: int) -> None:
    asked = []

    class Access:
        def may_write(self, *what: Any) -> bool:
            asked.append(what)
            return not passed_on

    pair.hot.attach(pair.said, Access())
    await pair.ask(PATH, BODY, authorization="Bearer a-key")
    assert asked == [(b"Bearer a-key", "country")]
    assert pair.passed_on == passed_on


async def test_two_keys_are_left_to_the_ordinary_route(pair: Pair) -> None:
    scope = {"type": "http", "method": "PUT", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
             "headers": [(b"content-type", b"application/json"), *[(b"authorization", b"Bearer x")] * 2]}  # fmt: skip
    await sent_by(pair.hot, scope, [BODY])
    assert pair.passed_on == 1
