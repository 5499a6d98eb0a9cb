"""`warm` beside a service that runs: what it prints, what readers get afterwards, how it refuses and ends."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest

from tests.support.aside_command import run_aside, running_aside
from tests.support.databases import execute_sql
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

ROWS = """
INSERT INTO entity (entity_type, id, body)
SELECT 'book', 'book-' || n, jsonb_build_object('n', n) FROM generate_series(1, 300) n
"""
COUNT_LEASES = (
    "local n = 0 for _, k in ipairs(redis.call('KEYS', 'cache:*')) do "
    "if string.sub(redis.call('GET', k), 1, 2) == 'L1' then n = n + 1 end end return n"
)


@pytest.fixture
def warm(database_url, redis_url):
    """Runs the command to its end: exit code, stdout, stderr."""

    def run(*options, redis_url=redis_url):
        ended = run_aside("warm", *options, DATABASE_URL=database_url, REDIS_URL=redis_url)
        return ended.exit_code, ended.stdout, ended.stderr

    return run


@pytest.fixture
async def client(replicas):
    [replica] = replicas()
    async with httpx.AsyncClient(base_url=replica.url) as client:
        await eventually(lambda: is_ready(client))
        yield client


async def is_ready(client):
    return (await client.get("/readyz")).json()["status"] == "ready"


async def test_entities_and_parameters_are_hits_for_readers_afterwards(client, warm, database_url, redis_url):
    execute_sql(database_url, ROWS)
    limit = {"type": "integer", "value": 50}
    assert (await client.put("/v1/parameters/shop:cart:limit", json=limit)).status_code == 201
    paths = ["/v1/parameters/shop:cart:limit", *[f"/v1/entities/book/book-{n}" for n in (1, 150, 300)]]
    fresh = [(await client.get(path, headers={"Cache-Control": "no-cache"})) for path in paths]
    command(redis_url, "UNLINK", "cache:parameter:shop:cart:limit")
    code, stdout, stderr = warm("--json")
    assert (code, stderr) == (0, "")
    told = json.loads(stdout)
    assert list(told) == ["rows", "installed", "present", "busy", "refused", "absent", "seconds"]
    assert (told["rows"], told["installed"]) == (301, 301)
    for path, before in zip(paths, fresh, strict=True):
        answer = await client.get(path)
        assert re.match(r"aside; hit; ttl=\d+", answer.headers["cache-status"]), path
        assert (answer.content, answer.headers["etag"]) == (before.content, before.headers["etag"])


async def test_the_summary_is_for_people(client, warm, database_url, tmp_path):
    execute_sql(database_url, ROWS)
    assert (await client.get("/v1/entities/book/book-7")).status_code == 200
    (tmp_path / "ids").write_text("book-7\nbook-8\nnever\n")
    code, stdout, _ = warm("--type", "book", "--ids-file", str(tmp_path / "ids"))
    assert code == 0
    assert re.search(r"^3 rows in [\d.]+ s, [\d,]+ rows/s$", stdout, re.MULTILINE)
    counts = re.findall(r"^ +(\d+) (\w+)", stdout, re.MULTILINE)
    assert counts == [("1", "installed"), ("1", "there"), ("0", "skipped"), ("0", "refused"), ("1", "gone")]


async def test_what_services_have_seen_to_be_hot_is_warmed_and_nothing_else(client, warm, database_url, redis_url):
    execute_sql(database_url, ROWS)
    execute_sql(database_url, "INSERT INTO hot_key VALUES ('a', 'book', 'book-7', 5), ('b', 'book', 'book-9', 3)")
    exit_code, stdout, _ = warm("--hot", "2", "--json")
    assert (exit_code, json.loads(stdout)["installed"]) == (0, 2)
    assert command(redis_url, "EXISTS", "cache:book:book-7", "cache:book:book-9", "cache:book:book-1") == "2"
    exit_code, _, stderr = warm("--hot", "2", "--type", "book")
    assert exit_code == 2
    assert "give --hot without the others" in stderr


async def test_a_ctrl_c_ends_it_in_order(client, database_url, redis_url):
    execute_sql(database_url, ROWS)
    with running_aside("warm", "--json", "--rate", "10", DATABASE_URL=database_url, REDIS_URL=redis_url) as warming:
        await eventually(lambda: command(redis_url, "EXISTS", "cache:book:book-10") == "1", within_seconds=30)
        warming.interrupt()
        ended = await asyncio.to_thread(warming.end)
    assert ended.exit_code == 130, ended.stderr
    assert 0 < ended.told["rows"] < 300
    assert command(redis_url, "EVAL", COUNT_LEASES, "0") == "0"


def test_without_a_service_it_says_so_and_writes_nothing(warm, database_url, redis_url):
    execute_sql(database_url, ROWS)
    code, stdout, stderr = warm("--json")
    assert (code, stdout) == (1, "")
    assert "aside: there is no heartbeat in Redis: is a service running" in stderr
    assert command(redis_url, "DBSIZE") == "0"


def test_without_redis_it_says_so(warm):
    code, stdout, stderr = warm(redis_url="redis://127.0.0.1:1/0")
    assert (code, stdout) == (1, "")
    assert "Redis cannot be reached" in stderr
    assert "Traceback" not in stderr


def test_without_a_schema_it_says_so(empty_database_url, redis_url):
    ended = run_aside("warm", DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
    assert ended.exit_code == 1
    assert "run `aside migrate`" in ended.stderr
