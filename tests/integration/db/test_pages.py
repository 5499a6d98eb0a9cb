"""A page costs what is on it: it is read out of the primary key's index, from its first id on, and never sorted."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import asyncpg
import pytest

from service.db.pages import beyond
from service.db.sql import sql as text_of
from tests.support.databases import execute_sql

LIMIT = 101
FEW_BLOCKS = 200  # of 8 KiB: a hundred rows, each perhaps in a block of its own, and the index down to them
PAGES = [("", ""), ("", "n05:0500"), ("n07:", ""), ("n07:", "n07:0500"), ("n07:09", ""), ("zzz", "")]


class Named(NamedTuple):
    """A named statement, and what it is asked for before the ids."""

    statement: str
    entity_type: str
    first: tuple[str, ...]


_ROWS = """
    INSERT INTO entity (entity_type, id, body, version, deleted, created_at, updated_at)
    SELECT '{entity_type}', format('n%s:%s', lpad((n / 1000)::text, 2, '0'), lpad((n % 1000)::text, 4, '0')),
           CASE WHEN n % 10 <> 9 THEN '{{"type": "string", "value": "x"}}'::jsonb END, n + 1, n % 10 = 9, now(), now()
    FROM generate_series(0, {count} - 1) n ORDER BY random();
"""


@pytest.fixture(scope="module")
def many_rows_url(module_database_url: str) -> str:
    """100,000 rows of a type, and as many parameters, between others; every tenth is deleted."""
    counts = {"a": 1_000, "thing": 100_000, "parameter": 100_000, "z": 1_000}
    rows = [_ROWS.format(entity_type=entity_type, count=count) for entity_type, count in counts.items()]
    without_triggers = "SET session_replication_role = replica"
    execute_sql(module_database_url, without_triggers, *rows, "VACUUM ANALYZE entity")
    return module_database_url


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(("prefix", "after"), PAGES)
@pytest.mark.parametrize(
    "named",
    [
        Named("list_entities", "thing", ("thing",)),
        Named("list_entities", "parameter", ("parameter",)),
        Named("list_parameters", "parameter", ()),
    ],
    ids=lambda named: f"{named.statement}-{named.entity_type}",
)
async def test_a_page_is_an_index_scan_of_few_blocks_whatever_plan_is_kept(
    many_rows_url: str, named: Named, prefix: str, after: str, plans: str
) -> None:
    connection = await asyncpg.connect(many_rows_url)
    await connection.execute(f"SET plan_cache_mode = {plans}")
    arguments = (*named.first, after, prefix, beyond(prefix), LIMIT)
    rows = await connection.fetch(text_of(named.statement), *arguments)
    expected = await connection.fetch(
        """SELECT id FROM entity WHERE entity_type = $1 AND NOT deleted AND id > $2 AND starts_with(id, $3)
           ORDER BY id LIMIT $4""",
        named.entity_type, after, prefix, LIMIT,
    )  # fmt: skip
    await connection.execute(f"PREPARE page AS {text_of(named.statement)}")
    given = ", ".join(f"'{argument}'" for argument in arguments)
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page ({given})")
    await connection.close()
    assert [row["id"] for row in rows] == [row["id"] for row in expected]
    [told] = json.loads(plan)
    [scan] = leaves(told["Plan"])
    assert (scan["Node Type"], scan["Index Name"]) == ("Index Scan", "entity_pkey")
    assert not {node["Node Type"] for node in nodes(told["Plan"])} & {"Sort", "Incremental Sort"}
    assert told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"] <= FEW_BLOCKS


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *[node for below in plan.get("Plans", []) for node in nodes(below)]]


def leaves(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in nodes(plan) if not node.get("Plans")]
