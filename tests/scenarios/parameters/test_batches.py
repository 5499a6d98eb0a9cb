"""What a read of a thousand parameters costs: one MGET, and at most one query."""

from __future__ import annotations

import asyncpg
import httpx

from service.embedded import Postgres, Valkey
from tests.scenarios.parameters.conftest import calls
from tests.support.statements import StatementLog
from tests.support.valkey_commands import command

KEYS = [f"batch:{n:04}" for n in range(1_000)]


async def fill(url: str) -> None:
    """By plain SQL: no replica, and no cache, knows them."""
    database = await asyncpg.connect(url)
    await database.execute(
        """INSERT INTO entity (entity_type, id, body)
           SELECT 'parameter', key, jsonb_build_object('type', 'string', 'value', key) FROM unnest($1::text[]) key
           ON CONFLICT DO NOTHING""",
        KEYS,
    )
    await database.close()


async def test_a_thousand_parameters_are_one_mget_and_at_most_one_query(
    clients: list[httpx.AsyncClient], logged_database_url: str, logging_postgres: Postgres, counting_valkey: Valkey
) -> None:
    await fill(logged_database_url)
    client = clients[0]
    told = []
    for known in (0, 1_000, 500):
        if known < len(KEYS):
            command(counting_valkey.url, "UNLINK", *[f"cache:parameter:{key}" for key in KEYS[known:]])
        statements, mgets = StatementLog(logging_postgres), calls(counting_valkey, "mget")
        answer = await client.post("/v1/parameters/batch-read", json={"keys": KEYS})
        asked, exchanged = statements.names(), calls(counting_valkey, "mget") - mgets
        results = answer.json()["results"]
        assert [result["body"]["value"] for result in results] == KEYS
        told.append((known, exchanged, asked))
    assert told == [(0, 1, ["load_parameters"]), (1_000, 1, []), (500, 1, ["load_parameters"])]


async def test_a_thousand_that_do_not_exist_are_one_query_once(
    clients: list[httpx.AsyncClient], logging_postgres: Postgres
) -> None:
    keys = [f"absent:{n}" for n in range(1_000)]
    asked = []
    for _ in range(2):
        statements = StatementLog(logging_postgres)
        answer = await clients[1].post("/v1/parameters/batch-read", json={"keys": keys})
        assert {result["status"] for result in answer.json()["results"]} == {404}
        asked.append(statements.names())
    assert asked == [["load_parameters"], []]
