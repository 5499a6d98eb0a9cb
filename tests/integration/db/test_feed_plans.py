"""A page of the feed costs what is on it, however many changes are kept, and whatever plan PostgreSQL keeps."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from service.db.sql import sql as text_of
from tests.integration.db.test_pages import leaves, nodes
from tests.support.databases import execute_sql

CHANGES = 100_000
FIRST_XID = 2**33
MOST = 101
FEW_BLOCKS = 600  # of 8 KiB: a hundred rows, and a way down the index of entities for each
_ROWS = f"""
    INSERT INTO change (version, xid, entity_type, id)
    SELECT n, ({FIRST_XID} + n / 2)::text::xid8, 'thing', 'n' || n % 20000 FROM generate_series(1, {CHANGES}) n
"""
_ENTITIES = """
    INSERT INTO entity (entity_type, id, body, version, created_at, updated_at)
    SELECT 'thing', 'n' || n, '1', n + 1, now(), now() FROM generate_series(0, 19999) n
"""
PLACES = {"the head": CHANGES - 20, "yesterday": 20, "between": CHANGES // 2}


@pytest.fixture(scope="module")
def many_changes_url(module_database_url: str) -> str:
    """Two of each transaction."""
    without_triggers = "SET session_replication_role = replica"
    execute_sql(module_database_url, without_triggers, _ENTITIES, _ROWS, "VACUUM ANALYZE entity, change")
    return module_database_url


async def plan_of(url: str, name: str, plans: str, *arguments: object) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    await connection.execute(f"SET plan_cache_mode = {plans}; PREPARE asked AS {text_of(name)}")
    given = ", ".join(f"'{argument}'" for argument in arguments)
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({given})")
    await connection.close()
    [told] = json.loads(plan)
    return dict(told["Plan"])


def indexes_of(plan: dict[str, Any]) -> set[str]:
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}


def tables_read_whole(plan: dict[str, Any]) -> set[str]:
    return {node["Relation Name"] for node in leaves(plan) if node["Node Type"] == "Seq Scan"} & {"change", "entity"}


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
async def test_each_statement_reads_by_an_index_what_it_tells(many_changes_url: str, plans: str, place: int):
    xid = FIRST_XID + place // 2
    moment = await plan_of(many_changes_url, "feed_moment", plans, xid, MOST)
    page = await plan_of(many_changes_url, "feed_page", plans, xid, xid + 50, f"{{{xid + 3}}}", f"{{{xid - 3}}}", MOST)
    rest = await plan_of(
        many_changes_url, "feed_rest", plans, f"{xid}:{xid}:", f"{xid + 50}:{xid + 50}:", place, place + 99, MOST
    )
    for plan, expected in (
        (moment, {"change_xid"}),
        (page, {"change_xid", "entity_pkey"}),
        (rest, {"change_pkey", "entity_pkey"}),
    ):
        assert tables_read_whole(plan) == set()
        assert indexes_of(plan) >= expected
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= FEW_BLOCKS
    assert page["Actual Rows"] > 10
