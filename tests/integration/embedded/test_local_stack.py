"""The servers of `make run`: kept data, one run at a time, and recovery from whatever ended the last one."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from service.embedded import EmbeddedError, LocalStack
from service.embedded.errors import FolderInUseError, WrongPostgresVersionError
from service.embedded.processes import processes_in
from tests.support.databases import execute_sql
from tests.support.ends import ended_within
from tests.support.valkey_commands import command

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "programs" / "run_stack.py"


@contextmanager
def stack_of_another_process(folder):
    process = subprocess.Popen(
        [sys.executable, PROGRAM, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


async def test_the_database_belongs_to_a_role_that_is_no_superuser(tmp_path):
    with LocalStack(tmp_path / ".local") as stack:
        connection = await asyncpg.connect(stack.postgres.url)
        owner = await connection.fetchval("SELECT datdba::regrole::text FROM pg_database WHERE datname = 'aside'")
        is_super = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        await connection.close()
    assert (owner, is_super) == ("aside", False)


async def test_nobody_gets_in_without_the_password(tmp_path):
    with LocalStack(tmp_path / ".local") as stack:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(stack.postgres.url, password="guessed")
        with pytest.raises(RuntimeError, match="NOAUTH"):
            command(f"redis://127.0.0.1:{stack.valkey.port}/0", "PING")


async def test_what_is_written_is_synced_and_still_there_in_the_next_run(tmp_path):
    with LocalStack(tmp_path / ".local") as stack:
        execute_sql(stack.postgres.url, "CREATE TABLE kept AS SELECT 7 AS n")
    with LocalStack(tmp_path / ".local") as stack:
        connection = await asyncpg.connect(stack.postgres.url)
        assert await connection.fetchval("SELECT n FROM kept") == 7
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()


def test_the_folder_and_the_password_are_closed_to_others(tmp_path):
    with LocalStack(tmp_path / ".local") as stack:
        assert stack.folder.stat().st_mode & 0o077 == 0
        assert (stack.folder / "password").stat().st_mode & 0o077 == 0


def test_a_second_run_is_refused_while_the_first_one_lives(tmp_path):
    with LocalStack(tmp_path / ".local") as stack:
        with pytest.raises(FolderInUseError, match=rf"runs already .* \(process {os.getpid()}\)"):
            LocalStack(tmp_path / ".local").start()
        execute_sql(stack.postgres.url, "SELECT 1")


def test_after_a_sigkill_of_the_first_run_the_second_one_starts_at_once(tmp_path):
    with stack_of_another_process(tmp_path / ".local") as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
        process.wait()
        with LocalStack(tmp_path / ".local") as stack:
            execute_sql(stack.postgres.url, "SELECT 1")
        assert ended_within(pids)


@pytest.mark.parametrize("milliseconds", [30, 150, 400])
def test_a_run_killed_while_it_makes_the_cluster_is_no_obstacle(tmp_path, milliseconds):
    with stack_of_another_process(tmp_path / ".local") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(milliseconds / 1000)
        process.kill()
        process.wait()
    with LocalStack(tmp_path / ".local") as stack:
        execute_sql(stack.postgres.url, "SELECT 1")
    assert list((tmp_path / ".local" / "postgres").glob("making-*")) == []


def test_the_data_of_another_major_version_is_refused_with_the_way_out_and_nothing_is_left_running(tmp_path):
    with LocalStack(tmp_path / ".local") as stack:
        data = stack.postgres.data
    (data / "PG_VERSION").write_text("15\n")
    stack = LocalStack(tmp_path / ".local")
    with pytest.raises(WrongPostgresVersionError, match="PG_BIN"):
        stack.start()
    assert processes_in(tmp_path / ".local" / "valkey") == set()
    assert (data / "PG_VERSION").read_text() == "15\n"


def test_a_lost_password_is_reported_with_the_way_out(tmp_path):
    with LocalStack(tmp_path / ".local"):
        pass
    (tmp_path / ".local" / "password").unlink()
    with pytest.raises(EmbeddedError, match="rm -r"):
        LocalStack(tmp_path / ".local").start()


def test_only_what_is_wanted_is_started(tmp_path):
    with LocalStack(tmp_path / ".local", with_postgres=False) as stack:
        assert stack.postgres is None
        assert command(stack.valkey.url, "PING") == "PONG"
    assert not LocalStack(tmp_path, with_postgres=False, with_valkey=False).is_wanted


def test_an_end_in_order_ends_both(tmp_path):
    with stack_of_another_process(tmp_path / ".local") as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.stdin.close()
        assert process.wait(20) == 0
        assert ended_within(pids, timeout_seconds=0)
    log = (tmp_path / ".local" / "postgres" / "postgresql.log").read_text()
    assert "received fast shutdown request" in log


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="cannot be used"):
        LocalStack(tmp_path / "file" / ".local").start()
