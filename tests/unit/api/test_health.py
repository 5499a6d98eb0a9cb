"""The probes."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from service.app import begin_draining
from service.services.health import Readiness
from tests.unit.api.stand_in import StandIn


async def test_liveness_asks_nobody(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://aside") as client:
        answer = await client.get("/livez")  # the services were never opened
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    ("readiness", "code", "status"),
    [
        (Readiness(ready=True, components={"postgresql": "ok", "relay": "leading"}), 200, "ready"),
        (Readiness(ready=True, components={"postgresql": "ok", "relay": "following"}), 200, "ready"),
        (Readiness(ready=True, components={"postgresql": "ok", "cache": "off: no heartbeat"}), 200, "degraded"),
        (Readiness(ready=False, components={"postgresql": "cannot be reached"}), 503, "unavailable"),
    ],
)
async def test_readiness_is_what_the_service_says_in_one_word_and_by_component(
    client: httpx.AsyncClient, stand_in: StandIn, readiness: Readiness, code: int, status: str
) -> None:
    stand_in.readiness = readiness
    answer = await client.get("/readyz")
    assert answer.status_code == code
    assert answer.json() == {"status": status, "components": readiness.components}
    assert answer.headers["cache-control"] == "no-store"


async def test_a_draining_process_is_unready_and_still_serves(
    client: httpx.AsyncClient, app: FastAPI, stand_in: StandIn
) -> None:
    stand_in.holds("country", "JP", 1)
    begin_draining(app)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")
    assert (await client.get("/v1/entities/country/JP")).status_code == 200
    assert (await client.get("/livez")).status_code == 200
