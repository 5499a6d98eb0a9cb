"""What is written into Valkey's configuration file."""

from pathlib import Path

import pytest

from service.embedded.valkey import Valkey, _quoted


@pytest.mark.parametrize(
    ("value", "line"),
    [
        pytest.param("allkeys-lru", "allkeys-lru", id="a word stays as it is"),
        pytest.param("", '""', id="nothing is said with quotes"),
        pytest.param("60 1", "60 1", id="two arguments stay two"),
        pytest.param("/a folder", '"/a folder"', id="a path is one argument, with its space"),
        pytest.param('/a"b', '"/a\\"b"', id="a quote is escaped"),
    ],
)
def test_a_value_is_quoted_where_it_must_be(value, line):
    assert _quoted(value) == line


def test_options_win_over_the_defaults_and_the_rest_of_them_stays(tmp_path):
    server = Valkey(tmp_path, program=Path("/bin/true"), options={"maxmemory": "1mb"})
    assert (server.options["maxmemory"], server.options["maxmemory-policy"]) == ("1mb", "allkeys-lfu")


def test_the_password_is_in_the_url_and_in_a_file_that_nobody_else_can_read(tmp_path):
    server = Valkey(tmp_path, program=Path("/bin/true"), password="secret", port=20_001)
    server._prepare()
    assert server.url == "redis://:secret@127.0.0.1:20001/0"
    assert "requirepass secret" in (tmp_path / "valkey.conf").read_text()
    assert (tmp_path / "valkey.conf").stat().st_mode & 0o077 == 0
