"""What a planted bug is, and how it is planted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RACES = "tests/scenarios/races"


@dataclass(frozen=True, slots=True)
class Edit:
    """``text`` occurs exactly once in the file, and gives way to ``replacement``."""

    file: str
    text: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A safeguard taken away. Each of ``tests`` must fail without it: `module::name` below the races, or the path."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    @property
    def test_ids(self) -> list[str]:
        return [test if test.startswith("tests/") else f"{RACES}/{test}" for test in self.tests]


class DoesNotApplyError(Exception):
    """The code has moved on: the mutant's text is not there, or more than once."""


def mutant(name: str, file: str, text: str, replacement: str, *tests: str) -> Mutant:
    """A mutant of one edit."""
    return Mutant(name, (Edit(file, text, replacement),), tests)


def plant(each: Mutant, tree: Path) -> None:
    """Apply all its edits to a tree. Raises DoesNotApplyError."""
    for edit in each.edits:
        path = tree / edit.file
        path.write_text(edited(each, edit, path.read_text()))


def edited(each: Mutant, edit: Edit, source: str) -> str:
    """The source with one edit made. Raises DoesNotApplyError."""
    found = source.count(edit.text)
    if found != 1:
        raise DoesNotApplyError(f"{each.name}: {found} times in {edit.file}: {edit.text!r}")
    return source.replace(edit.text, edit.replacement)
