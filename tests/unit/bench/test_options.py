"""What can be asked for, and what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.bench.errors import BadOptionError
from service.bench.keys import ids_of_file, ids_of_range
from service.bench.mix import Kind
from service.bench.options import Options, plan_of, subject_of
from service.bench.plan import Plan, parameters
from service.bench.target import Target, parse_target

URL = "http://127.0.0.1:8000"


def planned(**options: Any) -> Plan:
    chosen = Options(**{"url": URL, **options})
    return plan_of(chosen, subject_of(chosen, "run"))


def test_with_no_options_it_makes_entities_with_ids_of_this_run_alone() -> None:
    plan = planned()
    assert Options(url=URL).seeds
    assert plan.subject.path == "/v1/entities/bench/{id}"
    assert (len(plan.subject.ids), plan.subject.ids[0], plan.subject.ids[-1]) == (1000, "run-1", "run-1000")
    assert plan.subject.kinds == set(Kind)


def test_an_entity_type_that_is_not_its_own_is_written_to_only_if_that_is_said() -> None:
    chosen = {"entity_type": "item", "ids": "1:3", "mix": "reads=1,writes=1"}
    with pytest.raises(BadOptionError, match=r"writes cannot be had here.*--overwrite"):
        planned(**chosen)
    assert Kind.WRITES in planned(**chosen, overwrite=True).subject.kinds


def test_parameters_are_read_and_never_written() -> None:
    assert parameters(("a:b",)).kinds == {Kind.READS, Kind.CONDITIONAL, Kind.ABSENT, Kind.BATCH}


def test_of_a_path_of_any_service_only_what_any_service_has_is_asked() -> None:
    assert planned(path="/any/{id}?x=1", ids="1:2").subject.kinds == {Kind.READS, Kind.CONDITIONAL, Kind.ABSENT}
    assert planned(path="/any").subject.kinds == {Kind.READS, Kind.CONDITIONAL}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"entity_type": "item"}, "needs --ids or --ids-file"),
        ({"entity_type": "Item", "ids": "1:2"}, "cannot be the type"),
        ({"entity_type": "item", "ids": "ä1:2"}, "'ä1' cannot be the id"),
        ({"entity_type": "item", "ids": "1:2", "path": "/x/{id}"}, "--type and --path exclude each other"),
        ({"path": "/x", "parameters": True}, "exclude each other"),
        ({"entity_type": "item", "ids": "1:2", "ids_file": Path("x")}, "exclude each other"),
        ({"ids": "1:2"}, "ids of what"),
        ({"path": "x/{id}", "ids": "1:2"}, "is no path"),
        ({"path": "/a b"}, "is no path"),
        ({"path": "/x\r\nHost: y"}, "is no path"),
        ({"path": "/x/{id}"}, "needs --ids"),
        ({"path": "/x", "ids": "1:2"}, "need {id} in the path"),
        ({"path": "/x", "mix": "absent=1"}, "The path has no {id}"),
        ({"path": "/x", "mix": "batch-read=1"}, "read in batches"),
        ({"connections": 2, "processes": 3}, "each of --processes needs one"),
    ],
)
def test_what_makes_no_sense_together_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadOptionError, match=complaint):
        planned(**options)


def test_a_range_has_both_its_ends_and_may_have_something_before_each() -> None:
    assert ids_of_range("9:11") == ("9", "10", "11")
    assert ids_of_range("user-1:2") == ("user-1", "user-2")
    assert ids_of_range("3f-22-1:1") == ("3f-22-1",)


@pytest.mark.parametrize("text", ["", "1", "2:1", "a:b", "1:", "1:9999999", "1:2:3x"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(BadOptionError, match="--ids"):
        ids_of_range(text)


def test_a_file_has_an_id_in_each_line(tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text("a\n\n  b:c \n")
    assert ids_of_file(file) == ("a", "b:c")
    file.write_text("\n")
    with pytest.raises(BadOptionError, match="has 0 ids"):
        ids_of_file(file)
    with pytest.raises(BadOptionError, match="cannot be read"):
        ids_of_file(tmp_path / "missing")


def test_a_url_may_have_a_path_and_a_scheme_has_its_port() -> None:
    assert parse_target("https://example.org/base/") == Target(
        host="example.org", port=443, is_tls=True, authority="example.org", prefix="/base"
    )
    assert parse_target("http://[::1]:81").host == "::1"
    assert parse_target("http://[::1]:81").url == "http://[::1]:81"


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://x:99999", "http://u:p@x", "http://x/?q=1", "http://x y"]
)
def test_what_is_no_url_to_be_loaded_is_refused(url: str) -> None:
    with pytest.raises(BadOptionError, match="no URL"):
        parse_target(url)


def test_the_processes_hold_the_connections_together() -> None:
    plan = planned(connections=10, processes=3)
    assert [plan.connections_of(process) for process in range(3)] == [4, 3, 3]
