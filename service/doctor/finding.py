"""What a check says: what was found, how good that is, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

F = TypeVar("F")


class Level(StrEnum):
    """``WARN``: it works, and could be better. ``FAIL``: something does not work, or may be wrong."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` names it for programs as well; ``found`` and ``todo`` are sentences, ``todo`` empty if nothing is."""

    check: str
    level: Level
    found: str
    todo: str = ""


class Section(NamedTuple):
    """What was found in one place."""

    title: str
    findings: list[Finding]


class Unseen(NamedTuple):
    """In place of a fact that could not be had."""

    reason: str


def ok(check: str, found: str, todo: str = "") -> Finding:
    return Finding(check, Level.OK, found, todo)


def warn(check: str, found: str, todo: str) -> Finding:
    return Finding(check, Level.WARN, found, todo)


def fail(check: str, found: str, todo: str) -> Finding:
    return Finding(check, Level.FAIL, found, todo)


def judged(check: str, fact: F | Unseen, judge: Callable[[F], Iterable[Finding]]) -> Iterator[Finding]:
    """What ``judge`` says of a fact; of one that could not be had, why not."""
    if isinstance(fact, Unseen):
        yield warn(check, f"this could not be looked at: {fact.reason}", "look again, with a role that may see it")
    else:
        yield from judge(fact)


def verdict(sections: Iterable[Section]) -> Level:
    """The worst of all."""
    levels = {finding.level for section in sections for finding in section.findings}
    return next((level for level in (Level.FAIL, Level.WARN) if level in levels), Level.OK)
