"""A key is nowhere but with whoever sends it: not in logs, answers, metrics or tables, however it was sent."""

from __future__ import annotations

import asyncpg
import httpx
import pytest

from service.domain.key_text import compose_key
from tests.scenarios.access.conftest import Stage
from tests.support.keys import bearer

SECRET = "plantedsecretq"[:7] + "k" * 25
KEY = compose_key("1" * 12, SECRET.replace("l", "m"))
PART = KEY.split("_")[3]
DOORS = [
    "/v1/entities/thing/x",
    "/v1/parameters/x",
    "/v1/entities/thing",
    "/v1/cache/stats",
    "/metrics",
    "/nowhere",
    "/docs",
]


def test_a_key_in_a_header_is_nowhere_else(stage: Stage):
    for path in DOORS:
        for headers in (bearer(KEY), bearer(KEY[:-1]), {"Authorization": f"Basic {KEY}"}, {"X-Request-Id": KEY}):
            for method in ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"):
                answer = stage.client.request(method, path, headers=headers)
                assert answer.status_code < 500
                if "X-Request-Id" not in headers:
                    assert PART not in answer.text + str(answer.headers)
    assert PART not in stage.service.log


def test_a_key_in_a_body_or_a_query_is_not_kept(stage: Stage):
    own = stage.keys["own"]
    for content in (f'"{KEY}', f'{{"name": "{KEY}", "scopes": ["{KEY}"]}}', f'{{"ids": [["{KEY}"]]}}'):
        for path in ("/v1/entities/thing/batch-read", "/v1/cache/purge", "/v1/cache/warm", "/v1/keys"):
            headers = {**own, "Content-Type": "application/json"}
            answer = stage.client.post(f"{path}?key={KEY}", content=content, headers=headers)
            assert 400 <= answer.status_code < 500
            assert PART not in answer.text
    told = stage.client.get("/metrics", headers=own).text
    assert "aside_" in told
    assert PART not in stage.service.log + told


async def test_what_is_stored_is_no_key(stage: Stage, module_database_url: str):
    connection = await asyncpg.connect(module_database_url)
    try:
        rows = await connection.fetch(
            "SELECT to_jsonb(k)::text FROM api_key k UNION ALL SELECT e.said::text FROM api_key_event e"
        )
    finally:
        await connection.close()
    texts = [headers["Authorization"].split("_")[3] for headers in stage.keys.values() if headers]
    assert len(rows) > len(texts) - 1
    assert not [text for text in texts for row in rows if text in row[0]]


@pytest.mark.parametrize(
    "value", [b"Bearer \xff\xfe", b"Bearer " + b"a" * 8_000, b"\xe2\x98\x83", b"Bearer\t" + b"_" * 64, b","]
)
def test_no_header_makes_an_error_of_the_service(stage: Stage, value: bytes):
    for path in DOORS[:4]:
        answer = httpx.get(stage.service.url + path, headers=[(b"authorization", value)])
        assert answer.status_code == 401
