"""The rules as written: well formed, tested with their real durations, and each alert with its runbook."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

import pytest

from tests.alerts.prometheus import DEPLOY
from tests.alerts.rules import Rule, rules_as_written

FOLDER = DEPLOY / "prometheus"
RUNBOOKS = DEPLOY.parent / "docs" / "operations.md"
AT_ONCE = {"AsideStaleEntry", "AsideForeignHeartbeat", "AsideJobFailed"}


@pytest.fixture
async def alerts() -> list[Rule]:
    return [rule for rule in await rules_as_written() if rule.is_alert]


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", FOLDER / "prometheus.yml"],
        ["test", "rules", *sorted((FOLDER / "tests").glob("*.yml"))],
    ],
    ids=["configuration", "tests with the real durations"],
)
def test_promtool_finds_nothing_wrong(arguments: list[str]) -> None:
    run = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


async def test_every_alert_says_how_urgent_it_is_what_it_means_and_where_to_read_on(alerts: list[Rule]) -> None:
    assert max(Counter(alert.name for alert in alerts).values()) == 1
    for alert in alerts:
        assert alert.labels["severity"] in {"page", "ticket"}, alert.name
        assert set(alert.annotations) == {"summary", "description", "runbook_url"}, alert.name
        assert alert.annotations["runbook_url"] == f"docs/operations.md#{alert.name.lower()}"
        assert (alert.for_seconds >= 60) is (alert.name not in AT_ONCE), alert.name


async def test_every_alert_has_a_runbook_and_every_runbook_an_alert(alerts: list[Rule]) -> None:
    in_order = re.findall(r"- alert: (\w+)", (FOLDER / "rules" / "alerts.yml").read_text())
    assert set(in_order) == {alert.name for alert in alerts}
    assert re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), re.MULTILINE) == in_order


def test_links_between_runbooks_lead_somewhere() -> None:
    text = RUNBOOKS.read_text()
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors


async def test_every_alert_is_tested_with_its_real_durations(alerts: list[Rule]) -> None:
    tests = "".join(path.read_text() for path in (FOLDER / "tests").glob("*.yml"))
    assert {alert.name for alert in alerts} == set(re.findall(r'alertname="(\w+)"', tests))
