"""Looks at PostgreSQL: one connection, read-only, every look bounded."""

from __future__ import annotations

import asyncpg

from service.db.changes import LEADERSHIP_LOCK
from service.db.pool import connect
from service.db.revision import HEAD, VERSION_TABLE
from service.db.sql import sql
from service.db.tables import metadata
from service.doctor.drift import drift_of
from service.doctor.facts import (
    Backlog,
    Counter,
    History,
    Leadership,
    PostgresFacts,
    Schema,
    Server,
    Transaction,
    Trigger,
)
from service.doctor.finding import Unseen
from service.doctor.looking import Looks, timed_round_trips
from service.settings import Settings

LONG_SECONDS = 300.0
"""A transaction that has been open for longer is worth a word."""

_LOOK_SECONDS = 3.0
ALL_SECONDS = 8.0


async def look_at_postgresql(settings: Settings) -> PostgresFacts:
    """Raises what asyncpg raises where there is no connection to be had."""
    url = settings.database_url.get_secret_value()
    timeout = settings.database.connect_timeout_seconds
    connection = await connect(url, connect_timeout=timeout, statement_timeout=_LOOK_SECONDS)
    try:
        await connection.execute("SET default_transaction_read_only = on")
        return await _look(connection, url, settings)
    finally:
        connection.terminate()


async def _look(connection: asyncpg.Connection, url: str, settings: Settings) -> PostgresFacts:
    pids: set[int] = set()

    async def ask() -> float:
        [record] = await connection.fetch(sql("doctor_clock"))
        pids.add(record["pid"])
        return float(record["seconds"])

    latency_ms, clock = await timed_round_trips(ask)
    looks = Looks(each_seconds=_LOOK_SECONDS, all_seconds=ALL_SECONDS)
    server = await looks.at(_server, connection)
    transactions = await looks.at(_transactions, connection)
    revision = await looks.at(_revision, connection)
    return PostgresFacts(
        latency_ms=latency_ms,
        pids=frozenset(pids),
        clock=clock,
        server=server,
        transactions=transactions,
        revision=revision,
        schema=None if revision is None else await _schema(looks, connection, url, settings, revision),
    )


async def _schema(
    looks: Looks, connection: asyncpg.Connection, url: str, settings: Settings, revision: str | Unseen
) -> Schema:
    another = Unseen("the schema is of another revision than this program")
    is_newest = revision == HEAD
    return Schema(
        history=await looks.at(_history, connection),
        leadership=await looks.at(_leadership, connection),
        triggers=await looks.at(_triggers, connection),
        functions=await looks.at(_functions, connection) if is_newest else another,
        counter=await looks.at(_counter, connection),
        missing_rights=await looks.at(_missing_rights, connection),
        backlog=await looks.at(_backlog, connection, settings.relay.tombstone_retention_seconds),
        drift=await looks.at(drift_of, url) if is_newest else another,
    )


async def _revision(connection: asyncpg.Connection) -> str | None:
    try:
        revision = await connection.fetchval(sql("schema_revision"))
    except asyncpg.UndefinedTableError:
        return None
    return None if revision is None else str(revision)


async def _server(connection: asyncpg.Connection) -> Server:
    [record] = await connection.fetch(sql("doctor_server"))
    return Server(**record)


async def _transactions(connection: asyncpg.Connection) -> list[Transaction]:
    return [Transaction(**record) for record in await connection.fetch(sql("doctor_transactions"), LONG_SECONDS)]


async def _triggers(connection: asyncpg.Connection) -> dict[str, Trigger]:
    records = await connection.fetch(sql("doctor_triggers"), list(metadata.tables))
    return {record["name"]: Trigger(record["what"], record["enabled"]) for record in records}


async def _functions(connection: asyncpg.Connection) -> dict[str, str]:
    return {record["name"]: record["fingerprint"] for record in await connection.fetch(sql("doctor_functions"))}


async def _counter(connection: asyncpg.Connection) -> Counter | None:
    records = await connection.fetch(sql("doctor_sequence"))
    return Counter(**records[0]) if records else None


async def _missing_rights(connection: asyncpg.Connection) -> list[str]:
    records = await connection.fetch(sql("doctor_rights"), list(metadata.tables), VERSION_TABLE)
    return [str(record["missing"]) for record in records]


async def _history(connection: asyncpg.Connection) -> History:
    [record] = await connection.fetch(sql("doctor_generation"))
    return History(**record)


async def _backlog(connection: asyncpg.Connection, tombstone_seconds: float) -> Backlog:
    [record] = await connection.fetch(sql("doctor_backlog"), tombstone_seconds)
    return Backlog(**record)


async def _leadership(connection: asyncpg.Connection) -> Leadership:
    [record] = await connection.fetch(sql("doctor_relay"), LEADERSHIP_LOCK)
    return Leadership(**record)
