"""What `aside purge` asks the service for, and what it refuses to ask."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from service.cli.following import words_of_job
from service.cli.purge import Wanted, wanted_of

NOTHING: dict[str, Any] = {"prefix": "", "ids": None, "everything": False, "dry_run": False}


def wanted(entity_type: str | None = None, **options: Any) -> Wanted:
    return wanted_of(entity_type, **{**NOTHING, **options})


def test_many_ids_are_asked_for_a_thousand_at_a_time() -> None:
    ids = [f"id-{n}" for n in range(2_001)]
    found = wanted("book", ids=ids, dry_run=True)
    assert [len(body["ids"]) for body in found.bodies] == [1_000, 1_000, 1]
    assert [each for body in found.bodies for each in body["ids"]] == ids
    assert all(body["dry_run"] for body in found.bodies)


def test_what_takes_a_whole_type_or_everything_is_asked_about_and_counting_is_not() -> None:
    for options, is_large in (
        ({"entity_type": "book"}, True),
        ({"everything": True}, True),
        ({"entity_type": "book", "dry_run": True}, False),
        ({"everything": True, "dry_run": True}, False),
        ({"entity_type": "book", "prefix": "d"}, False),
        ({"entity_type": "book", "ids": ["dune"]}, False),
    ):
        assert wanted(**options).is_large is is_large, options


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prefix": "d"},
        {"ids": ["dune"]},
        {"entity_type": "book", "everything": True},
        {"everything": True, "ids": []},
        {"entity_type": "book", "prefix": "d", "ids": ["dune"]},
        {"entity_type": "book", "ids": []},
    ],
)
def test_options_that_do_not_say_one_thing_are_refused_before_anything_is_sent(options: dict[str, Any]) -> None:
    with pytest.raises(typer.Exit) as ended:
        wanted(**options)
    assert ended.value.exit_code == 2


def test_a_job_is_told_with_what_it_has_counted_and_why_it_failed() -> None:
    job = {
        "id": 7,
        "kind": "purge",
        "wanted": {"all": True},
        "state": "failed",
        "progress": {"keys": 1200, "purged": 0},
    }
    assert words_of_job({**job, "error": "no Redis"}) == 'job 7 purge {"all": true}: failed, 1,200 keys: no Redis'
