"""The judgement over a rollout finds what must not be; and without the release before, it is said, loudly."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.rollout.load import lost
from tests.rollout.purging import Purged
from tests.rollout.release import CURRENT, PREVIOUS_COMMIT, HistoryMissingError, Release, previous
from tests.rollout.starting import Made
from tests.rollout.upgrade import Mixed, faults_of
from tests.support.load import Operation

GONE = Purged(was_served=True, still_served=False)


def write(key: str, version: int) -> Operation:
    headers = httpx.Headers({"etag": f'"{version}"'})
    return Operation(is_write=True, key=key, url="", began=0, ended=1, status=200, headers=headers)


def test_an_acknowledged_write_that_postgresql_has_no_note_of_is_lost() -> None:
    assert lost([write("a", 1), write("a", 3), write("b", 1)], {("a", 1), ("a", 2), ("b", 1)}) == [write("a", 3)]


@pytest.mark.parametrize(
    ("old", "new", "purged", "faults"),
    [(5, 5, GONE, 0), (0, 5, GONE, 1), (5, 0, GONE, 1), (5, 5, Purged(was_served=True, still_served=True), 1)],
)
def test_what_only_one_version_answered_and_what_outlives_a_purge_are_faults(
    old: int, new: int, purged: Purged, faults: int
) -> None:
    mixed = Mixed("old", old=1, new=2, hits_of_old=old, hits_of_new=new, off=0, purged=purged)
    assert len(faults_of(mixed)) == faults


def test_a_table_that_two_tried_to_create_is_seen() -> None:
    tables = {"entity": 1, "ledger": 1, "aside_schema_version": 1}
    assert Made([CURRENT.schema], Counter(tables)).wrong == []
    assert Made([CURRENT.schema], Counter({**tables, "ledger": 2})).wrong == ["CREATE TABLE ledger was run 2 times"]
    assert len(Made(["0001", CURRENT.schema], Counter(tables)).wrong) == 1
    assert len(Made([CURRENT.schema], Counter()).wrong) == 1


def test_the_release_before_is_its_own_code_and_its_own_schema(old: Release) -> None:
    assert old.schema < CURRENT.schema
    assert (old.folder / "service" / "app.py").is_file()


def test_without_history_the_upgrade_says_that_it_cannot_be_tested(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    with pytest.raises(HistoryMissingError, match=rf"CANNOT BE TESTED: the release before, {PREVIOUS_COMMIT}"):
        previous(tmp_path / "old", repository=tmp_path)
