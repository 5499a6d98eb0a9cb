"""What the options of `aside warm` ask for, and what is refused."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from service.cli import main
from service.cli.warm import wanted_of
from service.domain.entity import EntityKey
from service.errors import InvalidInputError
from service.services.warming import Wanted


def wanted(*types, prefix="", ids=(), ids_file=None):
    return wanted_of(types, prefix=prefix, ids=ids, ids_file=ids_file)


def test_no_option_asks_for_everything():
    assert wanted() == Wanted()


def test_types_and_a_prefix_go_together():
    assert wanted("book", "item", prefix="a-") == Wanted(entity_types=("book", "item"), prefix="a-")


def test_ids_come_from_options_and_from_a_file_each_once(tmp_path):
    file = tmp_path / "ids"
    file.write_text("emma\ndune\n\nit\n")
    keys = tuple(EntityKey("book", each) for each in ("dune", "ulysses", "emma", "it"))
    assert wanted("book", ids=["dune,ulysses", "emma"], ids_file=file) == Wanted(keys=keys)


def test_an_empty_file_asks_for_nothing(tmp_path):
    (tmp_path / "ids").touch()
    assert wanted("book", ids_file=tmp_path / "ids") == Wanted(keys=())


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        pytest.param({"types": ["Book"]}, "'Book' is no entity type", id="a type that cannot be"),
        pytest.param({"types": ["book\n"]}, "is no entity type", id="a type with a line break"),
        pytest.param({"prefix": "-x"}, "no id begins with '-x'", id="a prefix that cannot be"),
        pytest.param({"types": ["book"], "ids": ["dune,,x"]}, "'' is no id", id="an empty id"),
        pytest.param({"types": ["book"], "ids": ["d ne"]}, "'d ne' is no id", id="an id that cannot be"),
        pytest.param({"ids": ["dune"]}, "one --type", id="ids of no type"),
        pytest.param({"types": ["a", "b"], "ids": ["dune"]}, "one --type", id="ids of two types"),
        pytest.param({"types": ["a"], "ids": ["dune"], "prefix": "d"}, "without --prefix", id="ids and a prefix"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(options, fault):
    with pytest.raises(InvalidInputError, match=fault):
        wanted(*options.pop("types", ()), **options)


def test_the_command_refuses_it_with_exit_code_2_and_a_sentence():
    result = CliRunner().invoke(main, ["warm", "--type", "Book"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "aside: 'Book' is no entity type" in result.stderr


def test_a_file_that_is_not_there_is_refused():
    result = CliRunner().invoke(main, ["warm", "--type", "book", "--ids-file", "/nowhere/ids"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "/nowhere/ids" in result.stderr


def test_a_bad_setting_is_refused_with_exit_code_2_and_its_name(monkeypatch):
    monkeypatch.setenv("ASIDE_PORT", "many")
    result = CliRunner().invoke(main, ["warm"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ASIDE_PORT: " in result.stderr
