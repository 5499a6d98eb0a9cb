"""The port of operators, what every answer says to browsers, and what the service refuses to start with."""

from __future__ import annotations

import httpx
import pytest

from service.api.access_rules import PLACES_FOR_OPERATORS
from service.embedded import free_port
from tests.conftest import Replicas
from tests.support.aside_command import aside


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_for_operators_is_only_on_their_port(replicas: Replicas, workers: str):
    port = free_port()
    [replica] = replicas(ASIDE_ADMIN_PORT=str(port), ASIDE_WORKERS=workers)
    admin = f"http://127.0.0.1:{port}"
    nothing = httpx.get(f"{replica.url}/nothing").json()
    for method, path in PLACES_FOR_OPERATORS:
        for asked in (method, "OPTIONS"):
            answer = httpx.request(asked, replica.url + path)
            assert answer.status_code == 404
            assert method == "HEAD" or answer.json()["type"] == nothing["type"]
    for path in ("/metrics", "/docs", "/openapi.json", "/dashboard", "/dashboard/assets/js/main.js", "/v1/cache/stats"):
        assert httpx.get(admin + path).status_code == 200
    for base in (admin, replica.url):
        assert httpx.get(f"{base}/livez").status_code == 200
        assert httpx.put(f"{base}/v1/entities/thing/x", json={}).status_code in {200, 201}
        assert httpx.get(f"{base}/v1/entities/thing/x").status_code == 200


def test_answers_tell_browsers_to_keep_their_hands_off(replicas: Replicas):
    [replica] = replicas()
    httpx.put(f"{replica.url}/v1/entities/thing/x", json={})
    for path in (
        "/v1/entities/thing/x",
        "/v1/entities/thing/x",
        "/v1/entities/thing/none",
        "/docs",
        "/dashboard",
        "/nothing",
    ):
        answer = httpx.get(replica.url + path, headers={"Origin": "https://elsewhere.example"})
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    for path in ("/docs", "/redoc", "/dashboard"):
        answer = httpx.get(replica.url + path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PUT"}
    answer = httpx.options(f"{replica.url}/v1/entities/thing/x", headers=preflight)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_production_does_not_start_unsafely_and_says_all_that_is_to_be_set():
    ended = await aside(
        "serve", ASIDE_PROFILE="production", ASIDE_HOST="0.0.0.0", ASIDE_EXAMPLE_ENTITY="true",
        DATABASE_URL="postgresql://aside:hunter2@db.example/aside",
    )  # fmt: skip
    assert ended.exit_code == 2
    for variable in ("ASIDE_ACCESS__REQUIRED", "ASIDE_ADMIN_PORT", "DATABASE_URL", "REDIS_URL", "ASIDE_EXAMPLE_ENTITY"):
        assert variable in ended.stderr
    assert "hunter2" not in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_nobody_else_is_let_in_unawares():
    ended = await aside("serve", ASIDE_HOST="0.0.0.0", ASIDE_PORT="0")
    assert ended.exit_code == 2
    assert "ASIDE_ACCESS__REQUIRED=false where something else sees to it" in ended.stderr


def test_without_keys_asked_for_keys_are_not_seen_to_over_http(replicas: Replicas):
    [replica] = replicas()
    for answer in (
        httpx.get(f"{replica.url}/v1/keys"),
        httpx.post(f"{replica.url}/v1/keys", json={"name": "me", "scopes": ["admin:*"]}),
    ):
        assert answer.status_code == 403
        assert "aside keys" in answer.json()["detail"]
