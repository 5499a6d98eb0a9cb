"""What is said of a schema: what is missing, what was changed, what does not fire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from service.db.safeguards import FUNCTIONS, TRIGGERS
from service.doctor.facts import Backlog, Clock, Counter, History, Leadership, PostgresFacts, Schema, Trigger
from service.doctor.finding import Finding, Level, Unseen
from service.doctor.schema_checks import judge_schema
from service.doctor.together_checks import judge_leadership
from service.settings import Settings

SETTINGS = Settings()
FIRING = {name: Trigger(what, "O") for name, what in TRIGGERS.items()}
WELL: dict[str, Any] = {
    "drift": [],
    "triggers": FIRING,
    "functions": FUNCTIONS,
    "counter": Counter(is_one_by_one=True, max_value=2**53 - 1, last_value=9, newest=9),
    "missing_rights": [],
    "history": History("h.1", "1:1:"),
    "backlog": Backlog(8_192, 10, 60.0, 0),
    "leadership": Leadership("abc", 2.0, "h.1", 1.2, "session 7"),
}


def findings_of(revision: str | Unseen | None = "0005", **changed: Any) -> list[Finding]:
    facts = PostgresFacts(
        latency_ms=0.4, pids=frozenset({1}), clock=Clock(0, 0), server=Unseen("not asked"), transactions=[],
        revision=revision, schema=None if revision is None else Schema(**{**WELL, **changed}),
    )  # fmt: skip
    return [*judge_schema(facts, SETTINGS, head="0005"), *judge_leadership(facts, SETTINGS)]


def faults_of(findings: Iterable[Finding]) -> dict[str, Level]:
    return {finding.check: finding.level for finding in findings if finding.level is not Level.OK}


def test_a_schema_as_the_migrations_make_it_has_no_faults() -> None:
    assert faults_of(findings_of()) == {}


@pytest.mark.parametrize(
    ("revision", "level"),
    [(None, Level.FAIL), ("0004", Level.FAIL), ("0006", Level.WARN), (Unseen("no right to see it"), Level.FAIL)],
)
def test_a_revision_that_is_not_the_newest_is_told(revision: Any, level: Level) -> None:
    assert faults_of(findings_of(revision)) == {"revision": level}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"drift": ["column entity.body is missing"]}, ("tables", Level.FAIL)),
        ({"drift": ["index entity_tombstones is missing"]}, ("tables", Level.WARN)),
        ({"functions": {**FUNCTIONS, "aside_stamp": "0"}}, ("functions", Level.FAIL)),
        ({"functions": {**FUNCTIONS, "aside_of_somebody": "0"}}, None),
        ({"triggers": {**FIRING, "entity_stamp": Trigger(TRIGGERS["entity_stamp"], "D")}}, ("triggers", Level.FAIL)),
        ({"triggers": {**FIRING, "entity_stamp": Trigger(TRIGGERS["entity_stamp"], "R")}}, ("triggers", Level.FAIL)),
        ({"triggers": {**FIRING, "entity_stamp": Trigger(TRIGGERS["entity_stamp"], "A")}}, None),
        ({"triggers": {**FIRING, "entity_stamp": Trigger("entity mine 23", "O")}}, ("triggers", Level.FAIL)),
        ({"triggers": {}}, ("triggers", Level.FAIL)),
        ({"counter": None}, ("sequence", Level.FAIL)),
        ({"counter": Counter(True, 9, 8, 9)}, ("sequence", Level.FAIL)),  # noqa: FBT003
        ({"counter": Counter(False, 9, 9, 9)}, ("sequence", Level.FAIL)),  # noqa: FBT003
        ({"missing_rights": ["UPDATE on ledger"]}, ("rights", Level.FAIL)),
        ({"backlog": Backlog(8_192, 10, 5 * 86_400.0, 0)}, ("changes", Level.WARN)),
        ({"backlog": Backlog(8_192, 10, 60.0, 10_000)}, ("tombstones", Level.WARN)),
        ({"leadership": Leadership("abc", 2.0, "h.1", -5.0, None)}, ("leader", Level.WARN)),
        ({"leadership": Leadership("abc", 5.0, "h.1", 1.0, "session 7")}, ("bound", Level.FAIL)),
        ({"history": Unseen("permission denied")}, ("generation", Level.WARN)),
    ],
)
def test_each_fault_of_a_schema_has_its_name_and_weight(changed: Any, fault: tuple[str, Level] | None) -> None:
    assert faults_of(findings_of(**changed)) == (dict([fault]) if fault else {})
