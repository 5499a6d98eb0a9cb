"""Idempotency-Key: which values are keys, and what makes a request another one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

from service.api.repeats import read_key, repeatable
from service.domain.repeatable import Repeatable
from service.domain.scopes import parse_scopes
from service.errors import InvalidInputError, KeyReusedError, RepeatUnderWayError
from service.services.access import Principal
from tests.unit.api.stand_in import StandIn

PATH = "/v1/entities/country/JP"


def headers_of(*values: str) -> Headers:
    return Headers(raw=[(b"idempotency-key", value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('  "a b"  ', "a b"),
        (r'"\"a\\"', '"a\\'),
        ('"~!"', "~!"),
        (f'"{"k" * 255}"', "k" * 255),
        ('"k";attempt=2; to="a;b" ;x', None),
        ('"k";attempt=2; to="a;b";x;y=?1;z=:YQ==:;t=a/b:c;n=-1.5;*u', "k"),
    ],
)
def test_a_key_is_a_string_of_structured_fields(sent: str, key: str | None):
    if key is None:
        with pytest.raises(InvalidInputError):
            read_key(headers_of(sent))
    else:
        assert read_key(headers_of(sent)) == key


@pytest.mark.parametrize(
    "sent",
    ["", "k", '""', '"k', 'k"', '"k" x', '"k", "l"', '"é"', '"\t"', r'"\k"', '"k";', '"k";A=1', '"k";a=', "1", "?1",
     ":aw==:", '("k")', f'"{"k" * 256}"', '"k";a=1.2345', '"' + '\\"' * 300 + '"'],
)  # fmt: skip
def test_what_is_no_such_string_is_refused(sent: str):
    with pytest.raises(InvalidInputError) as caught:
        read_key(headers_of(sent))
    assert caught.value.pointer == "Idempotency-Key"


def test_two_keys_are_none():
    with pytest.raises(InvalidInputError):
        read_key(headers_of('"k"', '"k"'))
    assert read_key(headers_of()) is None


def made(
    method: str = "PUT", path: str = "/v1/entities/a/b", query: bytes = b"", body: bytes = b"1", **more: Any
) -> Any:
    sent = [
        (name.lower().replace("_", "-").encode(), value.encode()) for name, value in more.items() if name[0].isupper()
    ]
    others = {name: value for name, value in more.items() if not name[0].isupper()}
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": sent, **others}
    return repeatable(Request(scope), "k", body)


def test_whatever_has_a_say_in_what_is_written_makes_it_another_request():
    requests = [
        made(),
        made("PATCH"),
        made(path="/v1/entities/a/c"),
        made(query=b"ttl_seconds=1"),
        made(query=b"ttl_seconds=2"),
        made(body=b"2"),
        made(body=b""),
        made(If_Match='"1"'),
        made(If_Match='"2"'),
        made(If_None_Match='"1"'),
        made(Content_Type="application/json"),
        made(Aside_Actor="ann"),
        made(Aside_Reason="ann"),
        made(Aside_Actor=""),
    ]
    assert len({request.digest for request in requests}) == len(requests)


def test_how_long_to_wait_for_the_cache_each_attempt_says_for_itself():
    assert made(Prefer="respond-async") == made(X_Request_Id="another", User_Agent="another") == made()


def test_a_key_belongs_to_the_client_that_sent_it_and_survives_a_rotation():
    def by(key_id: str, name: str) -> Repeatable:
        return made(**{"aside.principal": Principal(key_id, name, parse_scopes(["write:*"]))})

    assert by("0" * 12, "shop") == by("1" * 12, "shop")
    assert {by("0" * 12, "shop").client, by("0" * 12, "till").client, made().client} == {"shop", "till", ""}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_every_write_takes_a_key_and_refuses_what_is_none(
    client: httpx.AsyncClient, stand_in: StandIn, method: str
) -> None:
    stand_in.holds("country", "JP", {})
    path = "/v1/batch-write" if method == "POST" else PATH
    batch = {"writes": [{"op": "put", "entity_type": "country", "id": "JP", "body": 1}]}
    body = {} if method == "DELETE" else {"json": batch if method == "POST" else 1}
    refused = await client.request(method, path, headers={"Idempotency-Key": "bare"}, **body)
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "Idempotency-Key")
    assert stand_in.repeatables == []
    assert (await client.request(method, path, headers={"Idempotency-Key": '"k"'}, **body)).is_success
    stand_in.holds("country", "JP", {})
    assert (await client.request(method, path, **body)).is_success
    [with_key, without] = stand_in.repeatables
    assert with_key is not None
    assert (with_key.client, with_key.key, without) == ("", "k", None)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RepeatUnderWayError("under way"), 409, "idempotency-key-in-use"),
        (KeyReusedError("another", pointer="Idempotency-Key"), 422, "idempotency-key-reused"),
    ],
)
async def test_what_a_key_is_refused_for_is_told_by_a_type_of_its_own(
    client: httpx.AsyncClient, stand_in: StandIn, error: Exception, status: int, kind: str
) -> None:
    stand_in.failure = error
    answer = await client.put(PATH, json=1, headers={"Idempotency-Key": '"secret-of-mine"'})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert "secret-of-mine" not in answer.text
