"""What a read of a thousand names costs, be they parameters or entities: one MGET, and at most one query."""

from __future__ import annotations

from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from service.embedded import Postgres, Valkey
from tests.conftest import PostgresFactory, Replicas, ValkeyFactory
from tests.scenarios.parameters.conftest import calls
from tests.support.databases import DatabaseMint
from tests.support.statements import StatementLog
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

NAMES = [f"batch:{n:04}" for n in range(1_000)]


class Kind(NamedTuple):
    """How many of a kind are read, and what their load is called."""

    entity_type: str
    path: str
    asks: str
    answers: str
    load: str

    async def read(self, client: httpx.AsyncClient, names: list[str]) -> list[dict[str, Any]]:
        answer = await client.post(f"{self.path}/batch-read", json={self.asks: names})
        answer.raise_for_status()
        results: list[dict[str, Any]] = answer.json()[self.answers]
        return results


KINDS = [
    Kind("parameter", "/v1/parameters", "keys", "results", "load_parameters"),
    Kind("thing", "/v1/entities/thing", "ids", "items", "load"),
]
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.entity_type)


async def fill(url: str, kind: Kind) -> None:
    """By plain SQL: no replica, and no cache, knows them."""
    database = await asyncpg.connect(url)
    await database.execute(
        """INSERT INTO entity (entity_type, id, body)
           SELECT $2, name, jsonb_build_object('type', 'string', 'value', name) FROM unnest($1::text[]) name
           ON CONFLICT DO NOTHING""",
        NAMES,
        kind.entity_type,
    )
    await database.close()


@of_each_kind
async def test_a_thousand_names_are_one_mget_and_at_most_one_query(
    kind: Kind,
    clients: list[httpx.AsyncClient],
    logged_database_url: str,
    logging_postgres: Postgres,
    counting_valkey: Valkey,
) -> None:
    await fill(logged_database_url, kind)
    told = []
    for known in (0, 1_000, 500):
        if known < len(NAMES):
            command(counting_valkey.url, "UNLINK", *[f"cache:{kind.entity_type}:{name}" for name in NAMES[known:]])
        statements, mgets = StatementLog(logging_postgres), calls(counting_valkey, "mget")
        results = await kind.read(clients[0], NAMES)
        asked, exchanged = loads(statements), calls(counting_valkey, "mget") - mgets
        assert [result["body"]["value"] for result in results] == NAMES
        told.append((known, exchanged, asked))
    assert told == [(0, 1, [kind.load]), (1_000, 1, []), (500, 1, [kind.load])]


@of_each_kind
async def test_a_thousand_that_do_not_exist_are_one_query_once(
    kind: Kind, clients: list[httpx.AsyncClient], logging_postgres: Postgres
) -> None:
    names = [f"absent:{n}" for n in range(1_000)]
    asked = []
    for _ in range(2):
        statements = StatementLog(logging_postgres)
        results = await kind.read(clients[1], names)
        assert {result["status"] for result in results} == {404}
        asked.append(loads(statements))
    assert asked == [[kind.load], []]


@of_each_kind
async def test_hits_misses_the_absent_and_the_repeated_are_one_mget_and_one_query(
    kind: Kind,
    clients: list[httpx.AsyncClient],
    logged_database_url: str,
    logging_postgres: Postgres,
    counting_valkey: Valkey,
) -> None:
    await fill(logged_database_url, kind)
    hits, misses, absent = NAMES[:3], NAMES[3:6], ["none:1", "none:2"]
    await kind.read(clients[0], [*hits, absent[0]])
    command(counting_valkey.url, "UNLINK", *[f"cache:{kind.entity_type}:{name}" for name in [*misses, absent[1]]])
    statements, mgets = StatementLog(logging_postgres), calls(counting_valkey, "mget")
    names = [*misses, *absent, *hits, misses[0], hits[0], "not a name", absent[1]]
    results = await kind.read(clients[0], names)
    assert [result["status"] for result in results] == [200] * 3 + [404] * 2 + [200] * 5 + [422, 404]
    assert results[0] == results[8]
    assert (calls(counting_valkey, "mget") - mgets, loads(statements)) == (1, [kind.load])


@of_each_kind
async def test_with_the_cache_gone_a_thousand_names_are_one_query(
    kind: Kind,
    replicas: Replicas,
    valkey_factory: ValkeyFactory,
    logging_mint: DatabaseMint,
    logging_postgres: Postgres,
) -> None:
    valkey = valkey_factory()
    with logging_mint.database() as url:
        await fill(url, kind)
        [replica] = replicas(1, DATABASE_URL=url, REDIS_URL=valkey.url, ASIDE_AUDIT__SAMPLES_PER_SECOND="0")
        async with httpx.AsyncClient(base_url=replica.url, timeout=20) as client:
            await ready(client)
            valkey.kill()
            await kind.read(client, NAMES)  # while a heartbeat may be alive, it takes its time, and asks the ledger
            await eventually(lambda: heartbeats_are_dead(url))
            statements = StatementLog(logging_postgres)
            results = await kind.read(client, [*NAMES[1:], "absent"])
            assert [result["status"] for result in results] == [*[200] * 999, 404]
            assert loads(statements) == [f"{kind.load}_with_coverage"]
        replica.kill()


@of_each_kind
async def test_with_the_database_gone_each_name_that_the_cache_does_not_know_has_a_problem_of_its_own(
    kind: Kind, replicas: Replicas, postgres_factory: PostgresFactory, redis_url: str
) -> None:
    server = postgres_factory()
    with DatabaseMint(server).database() as url:
        await fill(url, kind)
        [replica] = replicas(1, DATABASE_URL=url, REDIS_URL=redis_url, ASIDE_BOUND_SECONDS="60")
        async with httpx.AsyncClient(base_url=replica.url, timeout=20) as client:
            await ready(client)
            hits, misses = NAMES[:3], NAMES[3:6]
            await kind.read(client, [*hits, "absent"])
            server.stop()
            results = await kind.read(client, [misses[0], *hits, "absent", *misses[1:]])
        server.start()
        replica.kill()
    assert [result["status"] for result in results] == [503, 200, 200, 200, 404, 503, 503]
    refused = {result["problem"]["type"] for result in results if result["status"] == 503}
    assert refused == {"/problems/database-unavailable"}


def loads(statements: StatementLog) -> list[str]:
    """The queries for rows. On a busy machine a thousand fills may take longer than a request waits for Redis; then the
    ledger is asked too, which is no query for rows.
    """
    return [name for name in statements.names() if name.startswith("load")]


async def ready(client: httpx.AsyncClient) -> None:
    while (await client.get("/readyz")).json()["status"] != "ready":
        pass


async def heartbeats_are_dead(url: str) -> bool:
    """Whether no cache may be trusted any more, as the ledger has it."""
    database = await asyncpg.connect(url)
    dead: bool = await database.fetchval("SELECT granted_until < clock_timestamp() FROM ledger")
    await database.close()
    return dead
