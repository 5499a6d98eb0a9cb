"""Every answer carries the request's id."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.api.stand_in import StandIn

PATHS = ["/livez", "/nothing", "/v1/entities/country/JP", "/v1/entities/country/%20", "/docs", "/metrics"]


@pytest.mark.parametrize("path", PATHS)
async def test_an_id_of_the_client_is_kept(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"X-Request-Id": "Abc-1.2_3"})
    assert answer.headers.get_list("x-request-id") == ["Abc-1.2_3"]


@pytest.mark.parametrize("offered", ["", "a b", 'a"b', "a" * 129, "é", "a,b", "<script>"])
async def test_an_id_that_could_do_harm_is_replaced(client: httpx.AsyncClient, offered: str) -> None:
    answer = await client.get("/livez", headers={b"X-Request-Id": offered.encode()})
    assert answer.headers["x-request-id"] != offered
    assert len(answer.headers["x-request-id"]) == 24


async def test_every_request_without_one_gets_its_own(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.holds("country", "JP", 1)
    answers = [await client.get("/v1/entities/country/JP") for _ in range(3)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
