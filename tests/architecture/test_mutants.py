"""The planted bugs keep up with the code: each still has a place to be planted in, and tests that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import edited

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_planted(mutant):
    for edit in mutant.edits:
        source = (ROOT / edit.file).read_text()
        assert edited(mutant, edit, source) != source


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_names_tests_that_exist(mutant):
    assert mutant.tests
    for test in mutant.test_ids:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text()


def test_no_two_mutants_have_the_same_name():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
