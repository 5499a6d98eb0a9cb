"""A real PostgreSQL: started, stopped, killed, paused; as root and as a plain user."""

import asyncio
import os
import threading
from pathlib import Path

import asyncpg
import pytest

from service.embedded import Postgres, free_port, private_postgres
from service.embedded.errors import FolderInUseError, ServerStartError, WrongPostgresVersionError
from service.embedded.processes import processes_in
from tests.support.databases import execute_sql


async def fetch(url, query):
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_started_server_answers_and_stays_on_its_port_with_its_data_after_a_restart(postgres_factory):
    server = postgres_factory()
    execute_sql(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
    before = server.port, server.pid
    await asyncio.to_thread(server.restart)
    assert await fetch(server.url, "SELECT n FROM kept") == 7
    assert server.port == before[0]
    assert server.pid != before[1]


async def test_after_a_kill_nothing_runs_and_a_start_recovers_what_was_committed(postgres_factory):
    server = postgres_factory(is_durable=True)
    execute_sql(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
    assert processes_in(server.data) > {server.pid}
    server.kill()
    assert processes_in(server.data) == set()
    assert not server.is_running
    server.start()
    assert await fetch(server.url, "SELECT n FROM kept") == 7


def test_a_kill_leaves_no_shared_memory(postgres_factory):
    server = postgres_factory()
    segment = (server.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
    assert segment in shared_memory()
    server.kill()
    assert segment not in shared_memory()


def shared_memory():
    return [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()]


async def test_a_paused_server_answers_nobody_and_a_resumed_one_answers_what_was_asked_meanwhile(postgres_factory):
    server = postgres_factory()
    connection = await asyncpg.connect(server.url)
    server.pause()
    assert {state_of(pid) for pid in processes_in(server.data)} == {"T"}
    question = asyncio.ensure_future(connection.fetchval("SELECT 7"))
    done, _ = await asyncio.wait([question], timeout=0.1)
    assert not done
    server.resume()
    assert await question == 7
    await connection.close()


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_paused_server_can_be_killed(postgres_factory):
    server = postgres_factory()
    server.pause()
    server.kill()
    assert processes_in(server.data) == set()


def test_a_paused_server_can_be_stopped_in_order(postgres_factory):
    server = postgres_factory()
    server.pause()
    server.stop(timeout_seconds=5)
    assert "received fast shutdown request" in server.log.read_text()


def test_a_cluster_that_is_in_use_is_left_alone(postgres_factory, monkeypatch):
    monkeypatch.setattr("service.embedded.postgres.LEFTOVER_SECONDS", 0.05)
    first = postgres_factory()
    with pytest.raises(FolderInUseError, match=rf"{first.pid}.* still work in"):
        Postgres(first.folder).start()
    assert (first.data / "postmaster.pid").exists()
    execute_sql(first.url, "SELECT 1")


def test_a_server_outlives_the_thread_that_started_it(postgres_factory):
    made = []
    thread = threading.Thread(target=lambda: made.append(postgres_factory()))
    thread.start()
    thread.join()
    execute_sql(made[0].url, "SELECT 1")
    assert made[0].is_running


async def test_settings_reach_the_server(postgres_factory):
    server = postgres_factory(settings={"wal_level": "logical"})
    assert await fetch(server.url, "SHOW wal_level") == "logical"
    assert await fetch(server.url, "SHOW fsync") == "off"


def test_a_server_that_cannot_start_is_reported_with_its_log(tmp_path):
    server = Postgres(tmp_path, is_durable=False, settings={"shared_buffers": "nonsense"})
    with pytest.raises(ServerStartError, match="invalid value for parameter"):
        server.start()
    assert not server.is_running


def test_a_port_that_is_taken_is_reported_with_the_log(postgres_factory, tmp_path):
    with pytest.raises(ServerStartError, match="Address already in use"):
        Postgres(tmp_path, is_durable=False, port=postgres_factory().port).start()


def test_the_data_of_another_major_version_is_refused_with_the_way_out(postgres_factory):
    server = postgres_factory()
    server.stop()
    (server.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(WrongPostgresVersionError, match=r"made by PostgreSQL 14, .* set PG_BIN .* remove the folder"):
        server.start()


def test_an_interrupted_initdb_is_no_obstacle(tmp_path):
    (tmp_path / "making-0123").mkdir()
    (tmp_path / "making-0123" / "PG_VERSION").write_text("18\n")
    with Postgres(tmp_path, is_durable=False) as server:
        execute_sql(server.url, "SELECT 1")
    assert list(tmp_path.glob("making-*")) == []


def test_a_cluster_is_whole_or_not_there(tmp_path):
    with pytest.raises(ServerStartError, match="failed with exit code"):
        Postgres(tmp_path, is_durable=False, first_sql=["this is no SQL"], port=free_port()).start()
    assert not (tmp_path / "data").exists()
    assert list(tmp_path.glob("making-*")) == []


def test_a_stale_note_that_names_some_living_process_is_no_obstacle(postgres_factory):
    server = postgres_factory()
    server.kill()
    note = server.data / "postmaster.pid"
    # Not our own number, nor our parents': PostgreSQL knows better than to believe those.
    somebody = next(pid for pid in sorted(all_processes()) if pid not in {os.getpid(), os.getppid()})
    note.write_text("\n".join([str(somebody), *note.read_text().splitlines()[1:]]) + "\n")
    server.start()
    execute_sql(server.url, "SELECT 1")


def all_processes():
    return {int(entry.name) for entry in Path("/proc").glob("[0-9]*")}


def test_stopping_twice_and_killing_what_never_ran_do_nothing(tmp_path, postgres_factory):
    server = postgres_factory()
    server.stop()
    server.stop()
    Postgres(tmp_path).kill()
    assert not server.is_running


def test_a_stop_ends_in_time_while_clients_hold_on(postgres_factory):
    server = postgres_factory()

    async def hold_on():
        connection = await asyncpg.connect(server.url)
        await asyncio.to_thread(server.stop, 5)
        connection.terminate()

    asyncio.run(hold_on())
    assert "received fast shutdown request" in server.log.read_text()


async def test_a_private_one_has_all_that_it_shares_in_its_folder_which_is_gone_afterwards():
    with private_postgres() as server:
        folder = server.folder
        assert await fetch(server.url, "SHOW dynamic_shared_memory_type") == "mmap"
        server.kill()
    assert not folder.exists()
