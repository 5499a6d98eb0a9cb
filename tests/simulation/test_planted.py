"""The simulation is worth what it finds: a handful of planted bugs here, all of them with `make simulate-bugs`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.mutant import edited
from tests.simulation.bugs import hunt
from tests.simulation.planted import HUNTED_UNDER, PLANTED, RARE
from tests.simulation.themes import DIRECTED

ROOT = Path(__file__).parents[2]
BY_NAME = {bug.name: bug for bug in PLANTED}
QUICK = (
    "an apply does not raise a lease's floor",
    "a reader that bypassed does not repair",
    "a fill goes below the floor",
    "an apply installs over a lease",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str):
    found = hunt(BY_NAME[name], first=0, seeds=2_000)
    assert found.seed is not None, found.violation


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_bug_still_applies(bug):
    sources = {edit.file: (ROOT / edit.file).read_text() for edit in bug.edits}
    for edit in bug.edits:
        sources[edit.file] = edited(bug, edit, sources[edit.file])
    for file, source in sources.items():
        compile(source, file, "exec")


def test_names_are_told_apart():
    assert len(BY_NAME) == len(PLANTED)
    assert set(BY_NAME) > RARE.keys() | HUNTED_UNDER.keys()
    assert len(RARE) <= 2


def test_every_directed_theme_hunts_something():
    # What a given-up type hides is not old: there only the promises are held against it.
    assert set(HUNTED_UNDER.values()) == set(DIRECTED) - {"given-up"}
