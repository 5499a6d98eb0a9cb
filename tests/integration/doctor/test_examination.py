"""The doctor, on real servers that are well, empty, damaged, closed to it, slow or away."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli import main
from service.db.safeguards import FUNCTIONS, TRIGGERS
from service.db.sql import sql as text_of
from service.db.tables import metadata
from service.doctor.examination import examine
from service.doctor.finding import Level
from service.settings import Settings
from tests.conftest import PostgresFactory, Replicas, ValkeyFactory
from tests.support.databases import DatabaseMint, execute_sql
from tests.support.valkey_commands import command
from tests.support.waiting import eventually

NOWHERE = "http://127.0.0.1:1"
ALONE = {"durability", "leader", "heartbeat", "reachable"}
"""What is not well with servers of tests on which no service runs."""


async def examined(
    database_url: str, redis_url: str, *, url: str = NOWHERE, **more: Any
) -> dict[str, tuple[Level, str]]:
    """What is not well, by check."""
    settings = Settings(DATABASE_URL=database_url, REDIS_URL=redis_url, **more)
    sections = await examine(settings, url=url, replicas=1)
    return {
        finding.check: (finding.level, f"{finding.found} → {finding.todo}")
        for section in sections
        for finding in section.findings
        if finding.level is not Level.OK
    }


async def doctor(*arguments: str, **environment: str) -> Result:
    """The command, in this process."""
    ended = await asyncio.to_thread(CliRunner().invoke, main, ["doctor", *arguments], env=environment)
    assert isinstance(ended.exception, SystemExit | None), ended.exception
    return ended


async def test_the_safeguards_are_those_that_the_migrations_leave(sql: asyncpg.Connection) -> None:
    triggers = await sql.fetch(text_of("doctor_triggers"), list(metadata.tables))
    functions = await sql.fetch(text_of("doctor_functions"))
    assert {record["name"]: record["what"] for record in triggers} == TRIGGERS
    assert dict(map(tuple, functions)) == FUNCTIONS


async def test_beside_a_service_all_is_well_that_can_be(replicas: Replicas, database_url: str, redis_url: str) -> None:
    [replica] = replicas()
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}

    async def only_the_servers_of_tests_are_unsafe() -> bool:
        return set(await examined(database_url, redis_url, url=replica.url)) == {"durability"}

    await eventually(only_the_servers_of_tests_are_unsafe, within_seconds=30)
    strict = await doctor("--json", "--strict", "--url", replica.url, **servers)
    told = json.loads(strict.stdout)
    assert (strict.exit_code, strict.stderr, told["verdict"]) == (1, "", "warn")
    found = {each["check"]: each["found"] for each in told["findings"]}
    assert {"leader", "heartbeat", "watermark", "triggers", "readiness", "clocks"} <= found.keys()
    needed, are_open = map(int, re.findall(r"\d+", found["clients"])[:2])
    assert are_open - 1 <= needed  # one is the doctor's


async def test_an_empty_database_needs_migrations_and_other_tables_are_no_drift(
    empty_database_url: str, database_url: str, redis_url: str
) -> None:
    found = await examined(empty_database_url, redis_url)
    assert found["revision"] == (Level.FAIL, "there is no schema of Aside in this database → aside migrate")
    execute_sql(database_url, "CREATE TABLE somebodys (a int)", "CREATE INDEX mine ON entity (updated_at, id)")
    assert set(await examined(database_url, redis_url)) == ALONE


async def test_a_damaged_schema_is_told_in_full(database_url: str, redis_url: str) -> None:
    execute_sql(
        database_url,
        "ALTER TABLE entity DISABLE TRIGGER entity_updated",
        "CREATE OR REPLACE FUNCTION aside_note() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT NULL::jsonb $$",
        "ALTER TABLE parameter_version DROP COLUMN reason",
        "ALTER SEQUENCE entity_version CACHE 50",
    )
    found = await examined(database_url, redis_url)
    assert found["triggers"][1].startswith("entity_updated does not fire")
    assert "aside_note was changed" in found["functions"][1]
    assert "column parameter_version.reason is missing" in found["tables"][1]
    assert "CACHE 1" in found["sequence"][1]
    assert {found[check][0] for check in ("triggers", "functions", "tables", "sequence")} == {Level.FAIL}


@pytest.fixture
async def stranger(database_mint: DatabaseMint, database_url: str) -> AsyncIterator[str]:
    """The URL of a role that may only connect."""
    execute_sql(database_url, "CREATE ROLE stranger LOGIN")
    yield database_url.replace("postgres@", "stranger@")
    execute_sql(database_url, "DROP OWNED BY stranger", "DROP ROLE stranger")


async def test_a_role_without_rights_is_told_which_ones_and_the_rest_is_still_looked_at(
    stranger: str, redis_url: str
) -> None:
    found = await examined(stranger, redis_url)
    assert (found["rights"][0], found["revision"][0]) == (Level.FAIL, Level.FAIL)
    assert "SELECT, INSERT, UPDATE, DELETE on ledger" in found["rights"][1]
    assert "SELECT on aside_schema_version" in found["rights"][1]
    assert "permission denied" in found["changes" if "changes" in found else "backlog"][1]
    assert "triggers" not in found


async def test_what_a_user_of_redis_may_not_do_is_named_and_a_wrong_password_is_not(
    database_url: str, valkey_factory: ValkeyFactory
) -> None:
    valkey = valkey_factory(options={"maxmemory-policy": "noeviction"})
    command(valkey.url, "ACL", "SETUSER", "ann", "on", ">right", "~cache:*", "+@all", "-unlink")
    found = await examined(database_url, valkey.url.replace("redis://", "redis://ann:right@"))
    assert found["memory"][0] is Level.WARN
    assert found["rights"][0] is Level.FAIL
    assert {"UNLINK", "SET aside:hb", "SET refresh:doctor"} <= {
        word.strip()
        for word in found["rights"][1].partition("not: ")[2].partition(" →")[0].replace(" cache:doctor", "").split(",")
    }
    refused = await examined(database_url, valkey.url.replace("redis://", "redis://ann:n0tright@"))
    assert "heartbeat" not in refused
    assert "n0tright" not in str(refused)


async def test_a_heartbeat_of_another_database_is_recognised(database_url: str, redis_url: str) -> None:
    run_id = (command(redis_url, "INFO", "server") or "").partition("run_id:")[2].split()[0]
    command(redis_url, "SET", "aside:hb", f"{run_id}|0123456789.17", "PX", "1500")
    found = await examined(database_url, redis_url)
    assert found["heartbeat"][0] is Level.FAIL
    assert "another database's service" in found["heartbeat"][1]


async def test_servers_that_stand_still_are_given_up_within_bounds(
    postgres_factory: PostgresFactory, valkey_factory: ValkeyFactory
) -> None:
    postgres, valkey = postgres_factory(), valkey_factory()
    postgres.pause()
    valkey.pause()
    settings = Settings(
        DATABASE_URL=postgres.url, REDIS_URL=valkey.url,
        database={"connect_timeout_seconds": 0.2}, redis={"operation_timeout_seconds": 0.02},
    )  # fmt: skip
    sections = await examine(settings, url=NOWHERE, replicas=1)
    reasons = [each.found for section in sections for each in section.findings if each.check == "reachable"]
    assert [reason.partition(": ")[2] for reason in reasons] == ["no answer in time"] * 2 + ["Connection refused"]


async def test_with_nothing_there_it_says_so_in_words_and_never_prints_a_password() -> None:
    servers = {"DATABASE_URL": "postgresql://a:s3cret@127.0.0.1:1/x", "REDIS_URL": "redis://:s3cret@127.0.0.1:1"}
    ended = await doctor("--url", NOWHERE, **servers)
    assert (ended.exit_code, ended.stderr) == (3, "")
    assert "PostgreSQL at 127.0.0.1:1/x\n  ✗ reachable: it cannot be looked at: Connection refused" in ended.stdout
    assert "s3cret" not in ended.stdout


async def test_an_address_that_cannot_be_read_is_refused_and_not_repeated() -> None:
    ended = await doctor("--url", NOWHERE, REDIS_URL="redis://:s3cret@127.0.0.1:bad")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "REDIS_URL" in ended.stderr.upper()
    assert "s3cret" not in ended.stderr
