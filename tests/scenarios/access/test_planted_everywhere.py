"""Passwords and keys, planted in settings and requests, are in nothing that a service leaves behind."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from service.addresses import with_password
from service.domain.key_text import compose_key
from service.embedded import free_port
from tests.conftest import Replicas
from tests.support.aside_command import aside
from tests.support.collector import Collector, collecting
from tests.support.keys import EVERYTHING, bearer, make_key

PASSWORD = "hunter2/sword#fish"
KEY = compose_key("1" * 12, "k" * 32)
SECRETS = ("hunter2", "fish", KEY.split("_")[3])


def planted_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_no_secret_is_in_logs_spans_metrics_tables_answers_or_what_the_doctor_says(
    replicas: Replicas, database_url: str, log_format: str
) -> None:
    own = await asyncio.to_thread(make_key, database_url, "own", *EVERYTHING)
    secret_part = own.text.split("_")[3]
    # PostgreSQL trusts whoever is here; no Redis is at its address: what is said of that is looked at, too.
    nowhere = with_password(f"redis://127.0.0.1:{free_port()}", PASSWORD)
    urls = {"DATABASE_URL": with_password(database_url, PASSWORD), "REDIS_URL": nowhere}
    with collecting() as collector:
        [replica] = replicas(
            1, **urls, ASIDE_ACCESS__REQUIRED="true", ASIDE_LOG_FORMAT=log_format, ASIDE_LOG_LEVEL="debug",
            ASIDE_TRACING__ENABLED="true", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
            OTEL_BSP_SCHEDULE_DELAY="3600000",
        )  # fmt: skip
        answers, metrics = await asked(replica.url, bearer(own))
        looked = await aside("doctor", "--url", replica.url, ASIDE_API_KEY=KEY, **urls)
        assert await asyncio.to_thread(replica.terminate) == 0, replica.log
        left = {
            "answers": answers, "metrics": metrics, "log": replica.log, "spans": all_of(collector),
            "doctor": looked.stdout + looked.stderr, "tables": await rows_of_all_tables(database_url),
        }  # fmt: skip
    assert {where: planted_in(text) for where, text in left.items()} == {where: [] for where in left}
    assert not [where for where, text in left.items() if secret_part in text]
    assert "cache_unreachable" in left["log"]
    assert "/v1/entities/{entity_type}/{id}" in left["spans"]
    assert "limit" in left["tables"]
    assert "✗" in left["doctor"]


async def asked(url: str, own: dict[str, str]) -> tuple[str, str]:
    """Requests that bring what is planted, wherever a request has a place for it, and what `/metrics` says then."""
    texts = []
    async with httpx.AsyncClient(base_url=url, params={"token": KEY, "key": PASSWORD}, timeout=20) as client:
        for headers in (own, bearer(KEY), {**own, "Cookie": KEY, "Referer": f"http://x/?{KEY}", "traceparent": KEY}):
            paths = ("/v1/entities/thing/x", "/v1/parameters/limit", "/v1/cache/stats", "/nowhere")
            texts += [await client.get(path, headers=headers) for path in paths]
            texts.append(await client.post("/v1/keys", headers=headers, json={"name": PASSWORD, "scopes": [KEY]}))
            texts.append(await client.put("/v1/parameters/limit", headers=headers, json={"type": KEY, "value": 1}))
        good = {"type": "integer", "value": 1}
        assert (await client.put("/v1/parameters/limit", headers=own, json=good)).status_code == 201
        metrics = await client.get("/metrics", headers=own)
    assert {answer.status_code for answer in texts} >= {401, 404, 422}
    return "".join(f"{answer.headers}{answer.text}" for answer in texts), metrics.text


def all_of(collector: Collector) -> str:
    return f"{collector.resources} {collector.spans}"


async def rows_of_all_tables(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        names = await connection.fetch("SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') "
                                       "AND relnamespace = current_schema()::regnamespace")  # fmt: skip
        rows = [await connection.fetch(f"SELECT t::text FROM {name[0]} t") for name in names]
    finally:
        await connection.close()
    return "\n".join(row[0] for some in rows for row in some)


@pytest.mark.parametrize(("password", "exit_code"), [(quote(PASSWORD, safe=""), 1), (PASSWORD, 2), ("4711/hunter2", 2)])
async def test_a_command_that_cannot_reach_its_database_quotes_no_password(password: str, exit_code: int) -> None:
    ended = await aside("migrate", DATABASE_URL=f"postgresql://aside:{password}@127.0.0.1:1/aside")
    assert ended.exit_code == exit_code
    assert ended.stderr.startswith("aside:")
    assert not planted_in(ended.stdout + ended.stderr)
    assert "Traceback" not in ended.stdout + ended.stderr
