"""The named SQL files: each is used, says what it is, and can be prepared on the real schema."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

from service.db import sql as folder
from service.db.sql import sql as text_of

NAMES = sorted(path.stem for path in Path(folder.__path__[0]).glob("*.sql"))
SERVICE = Path(folder.__path__[0]).parents[1]
SOURCES = "\n".join(path.read_text() for path in SERVICE.rglob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_used(name: str):
    assert f'"{name}"' in SOURCES


def test_every_name_that_is_asked_for_is_a_file():
    assert set(re.findall(r'\bsql\("(\w+)"\)', SOURCES)) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_begins_with_its_name_and_one_line_about_it(name: str):
    assert text_of(name).startswith(f"-- {name}: ")


@pytest.mark.parametrize("name", NAMES)
async def test_every_file_can_be_prepared_on_the_real_schema(sql: asyncpg.Connection, name: str):
    statement = await sql.prepare(text_of(name))
    given = {int(number) for number in re.findall(r"\$(\d+)", re.sub(r"--.*", "", text_of(name)))}
    assert given == set(range(1, len(statement.get_parameters()) + 1))
