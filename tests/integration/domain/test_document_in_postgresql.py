"""Whatever we take for a document, PostgreSQL keeps, and it comes back meaning the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.document import check_document
from service.domain.numerals import GROWTH_ALLOWANCE
from service.errors import InvalidInputError

ROUNDS = 150

strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
digits = st.text("0123456789", min_size=1, max_size=12)
exponents = st.sampled_from(["", "e0", "E5", "e-7", "e+308", "e-324", "e6176", "e-6176", "e9999", "e-99999"])
numerals = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole.lstrip('0') or '0'}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    digits,
    st.just("") | digits.map(".{}".format),
    exponents,
)
escapes = st.sampled_from(["\\u0000", "\\ud83d\\ude00", "\\ud83d", "\\\\u0000", "\\u001f", "\\/", "\\\\", '\\"', "\\n"])
texts = st.lists(escapes | strings.map(lambda text: json.dumps(text, ensure_ascii=False)[1:-1]), max_size=3)
scalars = numerals | texts.map(lambda parts: '"' + "".join(parts) + '"') | st.sampled_from(["true", "false", "null"])


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = strings.map(json.dumps)
    members = st.lists(st.tuples(names, inner).map(":".join), max_size=3)
    return st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]") | members.map(
        lambda items: "{" + ",".join(items) + "}"
    )


documents = st.recursive(scalars, _containers, max_leaves=8)


@pytest.fixture
async def connection(postgres: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url)
    yield connection
    await connection.close()


def meaning(text: str) -> Any:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


async def kept(connection: asyncpg.Connection, text: str) -> str | None:
    try:
        return str(await connection.fetchval("SELECT $1::text::jsonb::text", text))
    except asyncpg.DataError:
        return None


# The connection is the only thing that the rounds share, and it remembers nothing.
@settings(max_examples=ROUNDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents)
async def test_what_is_accepted_is_kept_and_comes_back_the_same(connection: asyncpg.Connection, document: str) -> None:
    try:
        check_document(document.encode(), max_depth=64)
    except InvalidInputError:
        return
    stored = await kept(connection, document)
    assert stored is not None
    assert meaning(stored) == meaning(document)
    assert len(stored) <= 2 * len(document) + GROWTH_ALLOWANCE + len(document)


@pytest.mark.parametrize(
    "number", ["9" * 131_072, "0." + "9" * 16_383, "1e6176", "1e-6176", "9" * 124_896 + "e6176", "9.5e-6176"]
)
async def test_the_largest_numbers_that_are_accepted_are_kept(connection: asyncpg.Connection, number: str) -> None:
    check_document(number.encode(), max_depth=0)
    stored = await kept(connection, number)
    assert stored is not None
    assert Decimal(stored) == Decimal(number)


@pytest.mark.parametrize("text", ["9" * 131_073, "0." + "9" * 16_384, '"\\u0000"', '"\\ud83d"', "1e131072", "1e-16384"])
async def test_what_postgresql_cannot_keep_is_refused_before_it_is_asked(
    connection: asyncpg.Connection, text: str
) -> None:
    assert await kept(connection, text) is None
    with pytest.raises(InvalidInputError):
        check_document(text.encode(), max_depth=64)
