"""Imports that meet bad records, entities that are there, and their own death."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from tests.integration.importing.conftest import Aside, Fetch
from tests.support.databases import execute_sql

COUNT = "SELECT count(*) FROM entity WHERE NOT deleted"
IDS = "SELECT id, body::text FROM entity WHERE NOT deleted ORDER BY id"


def line(entity_id: str, body: object = 1, **said: object) -> str:
    return json.dumps({"entity_type": "book", "id": entity_id, "body": body, **said}) + "\n"


def many(count: int, *, at: dict[int, str]) -> str:
    """Good lines, but for those that are named by their number."""
    return "".join(at.get(number, line(f"n{number:06}")) for number in range(1, count + 1))


def test_it_stops_at_a_bad_chunk_says_where_and_goes_on_once_it_is_mended(
    aside: Aside, fetch: Fetch, tmp_path: Path
) -> None:
    file = tmp_path / "books.ndjson"
    parameter = {"type": "integer", "value": 7, "schema": {"maximum": 5}}
    bad = {
        25: '{"entity_type": "book"\n',
        27: line("no name"),
        29: line("n", entity_type="parameter", body=parameter),
    }
    file.write_text(many(50, at=bad))
    code, stdout, stderr = aside("import", file, "--chunk", "10", "--json")
    assert (code, fetch(COUNT), json.loads(stdout)["finished"]) == (1, [(20,)], False)
    told = stderr.splitlines()
    assert [each.split(":")[0] for each in told] == ["line 25", "line 27", "line 29", "aside"]
    assert "up to line 20 all was; the same command with --resume" in told[-1]

    file.write_text(many(50, at={}))
    code, stdout, stderr = aside("import", file, "--chunk", "10", "--json", "--resume", "--on-conflict", "fail")
    assert (code, json.loads(stdout)["created"], "going on after line 20" in stderr) == (0, 30, True)
    assert (fetch(COUNT), fetch("SELECT * FROM import_progress")) == ([(50,)], [])


def test_a_file_that_was_changed_before_the_place_is_not_gone_on_with(aside: Aside, tmp_path: Path) -> None:
    file = tmp_path / "books.ndjson"
    file.write_text(many(30, at={25: "bad\n"}))
    assert aside("import", file, "--chunk", "10")[0] == 1
    file.write_text(many(30, at={3: line("other")}))
    code, _, stderr = aside("import", file, "--chunk", "10", "--resume")
    assert (code, "was changed before the place" in stderr) == (2, True)
    assert aside("import", file)[0] == 0


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_with_rejects_nothing_is_lost_and_all_that_is_good_is_written(
    aside: Aside, fetch: Fetch, database_url: str, tmp_path: Path, kind: str
) -> None:
    execute_sql(database_url, """INSERT INTO entity (entity_type, id, body) VALUES ('book', 'there', '0')""")
    file, rejects = tmp_path / f"in.{kind}", tmp_path / f"rejects.{kind}"
    if kind == "ndjson":
        bad = [line("there"), line("b", 1, ttl_seconds=-1), "{}\n"]
        file.write_text(line("a") + bad[0] + bad[1] + "\n" + line("c") + bad[2])
        named = ["line 2: it exists already", "line 3: ttl_seconds must be", "line 6: body is missing"]
    else:
        bad = ["there,1,\n", 'b,"{\n",\n', "c,1\n"]
        file.write_text("id,body,ttl_seconds\n" + "a,1,\n" + "".join(bad) + "c,1,5\n")
        named = ["line 3: it exists already", "line 4: not JSON", "line 6: has not as many cells"]
    code, stdout, stderr = aside(
        "import", file, "--type", "book", "--on-conflict", "fail", "--rejects", rejects, "--json"
    )
    assert code == 3
    assert [each.startswith(words) for each, words in zip(stderr.splitlines(), named, strict=True)] == [True] * 3, (
        stderr
    )
    assert (json.loads(stdout)["created"], json.loads(stdout)["refused"]) == (2, 3)
    header = "id,body,ttl_seconds\n" if kind == "csv" else ""
    assert rejects.read_text() == header + "".join(bad)
    assert fetch(IDS) == [("a", "1"), ("c", "1"), ("there", "0")]


def test_what_is_there_is_replaced_skipped_or_a_fault(
    aside: Aside, fetch: Fetch, database_url: str, tmp_path: Path
) -> None:
    execute_sql(
        database_url,
        """INSERT INTO entity (entity_type, id, body) VALUES ('book', 'a', '0'), ('book', 'gone', '0')""",
        "DELETE FROM entity WHERE id = 'gone'",
    )
    file = tmp_path / "in.ndjson"
    file.write_text(line("a", 1) + line("b", 1) + line("b", 2) + line("gone", 1))
    refused = aside("import", file, "--on-conflict", "fail")
    assert (refused[0], "line 1: it exists already\nline 3: it exists already" in refused[2]) == (1, True)
    assert fetch(IDS) == [("a", "0")]
    skipped = json.loads(aside("import", file, "--on-conflict", "skip", "--json")[1])
    assert (skipped["created"], skipped["kept"], fetch(IDS)) == (2, 2, [("a", "0"), ("b", "1"), ("gone", "1")])
    replaced = json.loads(aside("import", file, "--json")[1])
    assert (replaced["replaced"], replaced["kept"], fetch(IDS)) == (2, 2, [("a", "1"), ("b", "2"), ("gone", "1")])
    parameter = {"entity_type": "parameter", "id": "p", "body": {"type": "integer", "value": 1}}
    other = {**parameter, "body": {"type": "string", "value": "1"}}
    file.write_text("".join(json.dumps(each) + "\n" for each in (parameter, other)))
    assert aside("import", file, "--chunk", "1")[2].startswith("line 2: the parameter is of type integer")


def test_an_import_that_was_killed_is_gone_on_with_and_ends_with_exactly_the_rows(
    aside: Aside, fetch: Fetch, launch: Callable[..., Popen[bytes]], tmp_path: Path
) -> None:
    """Every row once: with --on-conflict fail, a chunk that was written twice, or a place that was noted too late,
    would be an error; a place that was noted too early would be a gap.
    """
    file, rejects = tmp_path / "in.ndjson", tmp_path / "rejects.ndjson"
    count, bad = 3_000, "{}\n"
    file.write_text(many(count, at=dict.fromkeys(range(7, count, 100), bad)))
    options = ("import", file, "--chunk", "20", "--on-conflict", "fail", "--rejects", rejects)
    with launch(*options, "--rate", "1500") as process:
        deadline = time.monotonic() + 60
        while fetch(COUNT) == [(0,)]:
            assert time.monotonic() < deadline, "nothing was written"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    [(written,)] = fetch(COUNT)
    [(records, kept)] = fetch("SELECT records, rejects_bytes FROM import_progress")
    assert (0 < records < count, written + kept // len(bad)) == (True, records)
    with rejects.open("ab") as torn:
        torn.write(b"what a chunk had kept that was never written")
    assert aside(*options, "--resume")[0] == 3
    assert fetch(COUNT) == [(count - 30,)]
    assert rejects.read_text() == bad * 30


def test_a_signal_ends_it_after_a_chunk_and_the_standard_input_is_read(
    fetch: Fetch, launch: Callable[..., Popen[bytes]]
) -> None:
    with launch("import", "-", "--type", "book", "--rate", "10", "--json") as process:
        assert process.stdin is not None
        process.stdin.write(b"".join(b'{"id": "n%d", "body": 1}\n' % number for number in range(2_000)))
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while fetch(COUNT) == [(0,)]:
            assert time.monotonic() < deadline, "nothing was written"
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate()
    told = json.loads(stdout)
    assert (process.returncode, told["finished"], stderr.startswith(b"aside: interrupted after")) == (130, False, True)
    assert fetch(COUNT) == [(told["created"],)]
