"""RFC 7396 in PostgreSQL: the table of its appendix, and a comparison with its pseudo-code in Python."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.quick import quick

APPENDIX = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]
MERGE = "SELECT aside_merge_patch($1::text::jsonb, $2::text::jsonb)::text"

names = st.sampled_from(["a", "b", "c", "", "é", "a.b"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "null"])
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


def merged(target: Any, patch: Any) -> Any:
    """The RFC's pseudo-code."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@pytest.mark.parametrize(("target", "patch", "result"), APPENDIX)
async def test_the_table_of_the_appendix(sql: asyncpg.Connection, target: str, patch: str, result: str):
    assert json.loads(await sql.fetchval(MERGE, target, patch)) == json.loads(result)
    assert merged(json.loads(target), json.loads(patch)) == json.loads(result)


def test_any_patch_of_any_document_gives_what_the_rfc_says(module_database_url: str):
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(module_database_url))  # type: ignore[arg-type]

        @quick(300)
        @given(documents, documents)
        def compare(target: Any, patch: Any) -> None:
            got = runner.run(connection.fetchval(MERGE, json.dumps(target), json.dumps(patch)))
            assert json.loads(got) == merged(target, patch)

        compare()
        runner.run(connection.close())


async def test_numbers_and_strings_pass_through_as_they_are(sql: asyncpg.Connection):
    patch = '{"n": 1.10, "big": 123456789012345678901234567890, "s": "\\u00e9\\ud83c\\uddef"}'
    result = await sql.fetchval(MERGE, "{}", patch)
    assert "1.10" in result
    assert "123456789012345678901234567890" in result


async def test_a_patch_of_many_names_costs_its_size_and_not_its_square(sql: asyncpg.Connection):
    document = json.dumps({f"name-{n}": n for n in range(20_000)})
    result = await sql.fetchval(MERGE, document, document, timeout=5)
    assert len(json.loads(result)) == 20_000


async def test_a_deep_patch_is_merged_to_its_end(sql: asyncpg.Connection):
    deep = '{"a":' * 200 + "1" + "}" * 200
    assert json.loads(await sql.fetchval(MERGE, "{}", deep)) == json.loads(deep)


@pytest.mark.parametrize(("limit", "fits"), [(10, False), (11, True)])
async def test_a_document_is_bounded_by_its_bytes_and_not_its_characters(
    sql: asyncpg.Connection, limit: int, fits: bool  # noqa: FBT001 (a parameter)
):  # fmt: skip
    bounded = sql.fetchval("SELECT aside_bounded($1::text::jsonb, $2)::text", '{"a": "é"}', limit)
    if fits:
        assert await bounded == '{"a": "é"}'
        return
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await bounded
    assert refusal.value.sqlstate == "AS413"
