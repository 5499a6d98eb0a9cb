"""A real Valkey: started, stopped, killed, paused, and brought back with old data."""

import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.embedded import Valkey
from service.embedded.discovery import find_valkey
from service.embedded.errors import ServerStartError
from tests.support.valkey_commands import command


def test_a_started_server_answers_and_a_restarted_one_is_empty_on_the_same_port(valkey_factory):
    server = valkey_factory()
    port = server.port
    command(server.url, "SET", "key", "value")
    server.restart()
    assert command(server.url, "GET", "key") is None
    assert server.port == port


def test_what_was_saved_survives_a_kill(valkey_factory):
    server = valkey_factory()
    command(server.url, "SET", "key", "value")
    command(server.url, "SAVE")
    command(server.url, "SET", "key", "newer")
    server.kill()
    server.start()
    assert command(server.url, "GET", "key") == "value"


def test_an_old_snapshot_brings_back_the_past(valkey_factory, tmp_path):
    server = valkey_factory()
    command(server.url, "SET", "key", "old")
    command(server.url, "SAVE")
    shutil.copy(server.rdb, tmp_path / "old.rdb")
    command(server.url, "SET", "key", "new")
    command(server.url, "SAVE")
    server.kill()
    shutil.copy(tmp_path / "old.rdb", server.rdb)
    server.start()
    assert command(server.url, "GET", "key") == "old"


def test_a_paused_server_answers_nobody_until_it_is_resumed(valkey_factory):
    server = valkey_factory()
    server.pause()
    with pytest.raises(TimeoutError):
        command(server.url, "PING", timeout_seconds=0.1)
    server.resume()
    assert command(server.url, "PING") == "PONG"


def test_a_killed_server_refuses_connections_and_can_be_started_again(valkey_factory):
    server = valkey_factory()
    server.kill()
    with pytest.raises(ConnectionRefusedError):
        command(server.url, "PING")
    server.start()
    assert command(server.url, "PING") == "PONG"


def test_options_reach_the_server(valkey_factory):
    server = valkey_factory(options={"maxmemory": "3mb", "maxmemory-policy": "allkeys-lru"})
    memory = command(server.url, "INFO", "memory")
    assert "maxmemory:3145728" in memory
    assert "maxmemory_policy:allkeys-lru" in memory


def test_the_policy_is_lfu_unless_told(valkey_factory):
    assert "maxmemory_policy:allkeys-lfu" in command(valkey_factory().url, "INFO", "memory")


def test_its_allocator_merges_what_is_freed_at_once_and_takes_what_else_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=1")
    tells = tmp_path / "tells"
    tells.write_text(f"#!/bin/sh\necho $GLIBC_TUNABLES > {tmp_path}/told\nexec {find_valkey()} $@\n")
    tells.chmod(0o700)
    with Valkey(tmp_path, program=tells):
        assert (tmp_path / "told").read_text() == "glibc.malloc.mxfast=0:glibc.malloc.arena_max=1\n"


def test_a_password_is_asked_for(tmp_path):
    with Valkey(tmp_path, password="secret") as server:
        assert command(server.url, "PING") == "PONG"
        with pytest.raises(RuntimeError, match="NOAUTH"):
            command(f"redis://127.0.0.1:{server.port}/0", "PING")


@pytest.mark.parametrize(("answer", "is_ready"), [(b"-LOADING Valkey is loading\r\n", False), (b"+PONG\r\n", True)])
def test_a_server_that_still_loads_its_data_is_not_ready(tmp_path, answer, is_ready):
    with socket.create_server(("127.0.0.1", 0)) as stand_in, ThreadPoolExecutor(1) as thread:

        def answer_once():
            connection, _ = stand_in.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        answered = thread.submit(answer_once)
        assert Valkey(tmp_path, port=stand_in.getsockname()[1])._is_ready() is is_ready
        answered.result()


def test_a_folder_with_a_space_does_no_harm(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    with Valkey(folder) as server:
        command(server.url, "SAVE")
        assert server.rdb.exists()


def test_a_server_that_cannot_start_is_reported_with_its_log(tmp_path):
    with pytest.raises(ServerStartError, match="maxmemory"):
        Valkey(tmp_path, options={"maxmemory": "much"}).start()
