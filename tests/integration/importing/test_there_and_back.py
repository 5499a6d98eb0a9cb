"""What is exported, imported elsewhere, is the same; and what an export cannot finish, it goes on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.importing.conftest import ALL, Aside, Fetch
from tests.support.databases import execute_sql

BOOKS = r"""
INSERT INTO entity (entity_type, id, body, cache_ttl_seconds)
SELECT 'book', 'n' || n, jsonb_build_object('n', n, 'text', E'"a", \\ b\nc \u0001 é', 'price', 1.50),
       CASE WHEN n % 2 = 0 THEN n END
FROM generate_series(1, 300) n;
INSERT INTO entity (entity_type, id, body) VALUES ('book', 'x', 'null'), ('book', 'y', '1'), ('bookmark', 'x', '1');
INSERT INTO entity (entity_type, id, body)
VALUES ('parameter', 'a:limit', '{"type": "integer", "value": 7, "schema": {"maximum": 9}, "ttl_seconds": 60}');
DELETE FROM entity WHERE id = 'y';
"""


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_what_was_exported_is_brought_back_exactly(
    aside: Aside, fetch: Fetch, database_url: str, tmp_path: Path, kind: str
) -> None:
    execute_sql(database_url, BOOKS)
    before = fetch(ALL)
    counts = {"book": 301, "parameter": 1}
    files = [tmp_path / f"{name}.{kind}" for name in counts]
    for file, count in zip(files, counts.values(), strict=True):
        code, stdout, stderr = aside("export", "--type", file.stem, "-o", file, "--json")
        assert (code, stderr, json.loads(stdout)["rows"]) == (0, "", count)
        assert len(file.read_text().splitlines()) == count + (kind == "csv")
    execute_sql(database_url, "DELETE FROM entity WHERE entity_type <> 'bookmark'")
    for file, count in zip(files, counts.values(), strict=True):
        code, stdout, stderr = aside("import", file, "--chunk", "100", "--actor", "ann", "--json")
        assert (code, stderr, json.loads(stdout)["created"]) == (0, "", count)
    assert fetch(ALL) == before
    [history] = fetch("SELECT actor, reason FROM parameter_version ORDER BY version DESC LIMIT 1")
    assert history == ("ann", f"import of parameter.{kind}")

    versions = fetch("SELECT version FROM entity ORDER BY entity_type, id")
    for file, count in zip(files, counts.values(), strict=True):
        assert json.loads(aside("import", file, "--json")[1])["kept"] == count, "what is the same stays as it is"
    assert fetch("SELECT version FROM entity ORDER BY entity_type, id") == versions


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_an_unfinished_export_is_gone_on_with_after_its_last_whole_line(
    aside: Aside, database_url: str, tmp_path: Path, kind: str
) -> None:
    execute_sql(database_url, BOOKS)
    file = tmp_path / "books"
    options = ("export", "--type", "book", "--format", kind, "-o", file)
    assert aside(*options)[0] == 0
    whole = file.read_bytes()
    for keep in (len(whole) // 2, whole.index(b"\n") + 5, 3, 0, len(whole)):
        file.write_bytes(whole[:keep])
        code, _, stderr = aside(*options, "--resume")
        assert (code, stderr, file.read_bytes() == whole) == (0, "", True)
    assert aside(*options)[0] == 2, "nothing is overwritten unasked"
    assert aside("export", "--type", "bookmark", "--format", kind, "-o", file, "--resume")[0] == 2
    assert file.read_bytes() == whole
    assert aside(*options, "--overwrite", "--prefix", "n2")[0] == 0
    assert len(file.read_bytes().splitlines()) == 111 + (kind == "csv")
    code, stdout, stderr = aside("export", "--type", "book", "--format", kind, "--after", "n98", "--json")
    assert (code, json.loads(stderr)["rows"]) == (0, 2)
    assert [("n99" in line, '"x"' in line or "k,x" in line) for line in stdout.splitlines()] == [
        (True, False), (False, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "--type", "Book"),
        ("export", "--type", "book", "--prefix", "/"),
        ("export", "--type", "book", "--resume"),
        ("import", "-", "--resume"),
        ("import", "nowhere.ndjson"),
    ],
)
def test_options_that_cannot_be_are_refused_in_words(aside: Aside, arguments: tuple[str, ...]) -> None:
    code, stdout, stderr = aside(*arguments)
    assert (code in {1, 2}, stdout, stderr.startswith("aside: ")) == (True, "", True)
