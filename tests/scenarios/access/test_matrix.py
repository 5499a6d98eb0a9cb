"""Who may do what, of every route there is: with any key, in any state of the cache. A warm cache leaks nothing."""

from __future__ import annotations

import re
import socket
from typing import Any, NamedTuple

import httpx
import pytest

from service.api.access_rules import OPEN, RULES, Place
from service.domain.scopes import Of, Verb
from tests.scenarios.access.conftest import PLANTED, STATES, Stage
from tests.scenarios.access.samples import PLACES, TYPE, sample

STRANGERS = ("none", "unknown", "revoked", "expired")
_OF_THE_MOMENT = {"date", "last-modified"}
_PASSING = re.compile(rb'"age_seconds": [0-9.]+|"cursor": "[^"]+"')


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def refusal(self) -> tuple[Any, ...]:
        return self.status, self.headers.get("www-authenticate"), self.headers["content-type"]


def ask(stage: Stage, place: Place, who: str, state: str) -> Said:
    """The same request id, and the name of the state taken out: what is left must not depend on what there is."""
    method, path, content = sample(place, state, job=stage.job, key=stage.spare_key)
    headers = {**stage.keys[who], "X-Request-Id": "same", "Content-Type": "application/json"}
    answer = stage.client.request(method, path, content=content, headers=headers)
    kept = {name: text.replace(state, "·") for name, text in answer.headers.items() if name not in _OF_THE_MOMENT}
    body, passing = _PASSING.subn(b"", answer.content.replace(state.encode(), b"\xc2\xb7"))
    if passing:
        del kept["content-length"]
    return Said(answer.status_code, kept, body)


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_of_each_route_and_key_in_each_state_of_the_cache(stage: Stage, place: Place):
    rule, told = RULES[place], {}
    for state in STATES:
        stage.arrange(state)
        for who in (*STRANGERS, "foreign"):
            told[who, state] = said = ask(stage, place, who, state)
            assert PLANTED.encode() not in said.body
            assert PLANTED not in str(said.headers)
        own = ask(stage, place, "own", state)
        assert own.status not in {401, 403}, own
        assert own.status < 500
        told["own", state] = own
    if rule is OPEN:
        assert {said.status for said in told.values()} <= {200, 307}
        return
    for who in STRANGERS:
        for state in STATES:
            assert told[who, state].refusal == (401, "Bearer", "application/problem+json")
    assert told["revoked", "is-warm"] == told["expired", "is-warm"] == told["unknown", "is-warm"]
    for state in STATES:
        assert told["foreign", state] == told["foreign", "is-none"], state
    _check_foreign(place, told["foreign", "is-warm"], told["own", "is-none"])


def _check_foreign(place: Place, said: Said, absent: Said) -> None:
    """What a key is answered that may do everything, but to entities of another type only."""
    rule = RULES[place]
    if rule.verbs == (Verb.READ,):
        assert said.status == absent.status
        if not place[1].endswith(("/versions", "/diff", "/{entity_type}", "/v1/parameters", "/v1/changes")):
            assert said.body == absent.body  # byte for byte what is said of an entity that is not there
    elif rule.on is Of.SOMETHING and place[0] == "GET":
        assert said.status in {200, 404}
        assert TYPE.encode() not in said.body
    elif place == ("DELETE", "/v1/cache/jobs/{id}"):
        assert said.status == 404
    else:
        assert said.status == 403


@pytest.mark.parametrize(
    "line",
    [
        *("PUT /v1/entities/thing/x", "PATCH /v1/entities/thing/x", "POST /v1/entities/thing/batch-read"),
        *("PUT /v1/parameters/x", "POST /v1/parameters/batch-read", "POST /v1/cache/purge", "POST /v1/keys"),
    ],
)
def test_who_may_not_is_told_so_before_the_body_has_come(stage: Stage, line: str):
    head = f"{line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    foreign = "".join(f"{name}: {value}\r\n" for name, value in stage.keys["foreign"].items())
    asked = {b"401": "", b"403": foreign} if "batch-read" not in line and "purge" not in line else {b"401": ""}
    for status, who in asked.items():
        with socket.create_connection(("127.0.0.1", stage.service.port), timeout=10) as connection:
            connection.sendall(f"{head}{who}\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 " + status)


def test_what_a_reader_has_is_not_confirmed_to_others(stage: Stage):
    stage.arrange("is-warm")
    path = f"/v1/entities/{TYPE}/is-warm"
    etag = stage.client.get(path, headers=stage.keys["own"]).headers["etag"]
    for who, status in {"own": 304, "foreign": 404, "none": 401}.items():
        asked: httpx.Response = stage.client.get(path, headers={**stage.keys[who], "If-None-Match": etag})
        assert asked.status_code == status


def test_a_list_of_what_is_hidden_is_that_of_a_type_that_is_not_there(stage: Stage):
    stage.arrange("is-warm")
    hidden = stage.client.get(f"/v1/entities/{TYPE}", headers=stage.keys["foreign"])
    absent = stage.client.get("/v1/entities/nothing", headers=stage.keys["own"])
    assert (hidden.status_code, hidden.content, hidden.headers["etag"]) == (200, absent.content, absent.headers["etag"])
