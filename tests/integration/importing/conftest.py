"""The two commands on a database of one's own, and what is in it. A command has its own loop: no test here has one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from service.cli import main
from tests.support.service_process import OURS

Aside = Callable[..., tuple[int, str, str]]
Fetch = Callable[[str], list[Any]]
ALL = """
SELECT entity_type || ':' || id AS name, cache_ttl_seconds AS ttl,
       (CASE WHEN entity_type = 'parameter' THEN body - 'updated_by' ELSE body END)::text AS body
FROM entity WHERE NOT deleted ORDER BY name
"""
"""Everything that exists, by name, without its version and its moment."""


@pytest.fixture
def aside(database_url: str) -> Aside:
    """Runs a command in this process: exit code, stdout, stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        result = CliRunner(env={"DATABASE_URL": database_url}).invoke(main, [str(each) for each in arguments])
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def launch(database_url: str) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts a command in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}

    def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "service", *map(str, arguments)]
        environment = {**inherited, "DATABASE_URL": database_url}
        return subprocess.Popen(
            argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return start


@pytest.fixture
def fetch(database_url: str) -> Fetch:
    """The rows of a statement, on a connection of its own."""

    async def ask(statement: str) -> list[Any]:
        connection = await asyncpg.connect(database_url)
        try:
            return [tuple(record) for record in await connection.fetch(statement)]
        finally:
            await connection.close()

    def run(statement: str) -> list[Any]:
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, ask(statement)).result()

    return run
