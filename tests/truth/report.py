"""What Schemathesis found: its own reports as JSON for programs, a short Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.truth.beyond import BUSY, REASONS
from tests.truth.campaign import CONFIGURATION, Verdict

_TABLE = "| service | operations | phases | requests | failures | seconds |\n| --- | --- | --- | --- | --- | --- |\n"


def write_report(folder: Path, verdicts: Mapping[str, Verdict], *, command: str) -> None:
    """`truth.json`, `truth.md`, and what Schemathesis said, as `truth-….txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {name: {**verdict.report, "excused": verdict.excused} for name, verdict in verdicts.items()}
    (folder / "truth.json").write_text(json.dumps(told, indent=2) + "\n")
    (folder / "truth.md").write_text(markdown(verdicts, command=command))
    for name, verdict in verdicts.items():
        (folder / f"truth-{name}.txt").write_text(verdict.output)


def markdown(verdicts: Mapping[str, Verdict], *, command: str) -> str:
    [version] = {verdict.report["schemathesis_version"] for verdict in verdicts.values()}
    rows = "".join(f"| {name} {_row(verdict)}\n" for name, verdict in verdicts.items())
    excused = "".join(f"| {reason} {_counts(verdicts, reason)}|\n" for reason in (*REASONS, BUSY))
    names = " | ".join(verdicts)
    return f"""# The OpenAPI document, held against the service

`{command}`, Schemathesis {version}, every check, with what `{CONFIGURATION.name}` says beside it.

{_TABLE}{rows}
A service that lets nobody in without a key was asked with one that may do everything; one that asks for none, without.

Requests that were refused for what no schema can say, or for want of time (`tests/truth/beyond.py`):

| because | {names} |
| --- |{" --- |" * len(verdicts)}
{excused}"""


def _row(verdict: Verdict) -> str:
    report, cases = verdict.report, verdict.report["test_cases"]
    operations = f"{report['operations']['tested']} of {report['operations']['total']}"
    phases = ", ".join(f"{name}: {phase['status']}" for name, phase in report["phases"].items())
    failures = cases["unique_failures"] + cases["errored"]
    return f"| {operations} | {phases} | {cases['generated']:,} | {failures} | {report['running_time']:,.0f} |"


def _counts(verdicts: Mapping[str, Verdict], reason: str) -> str:
    return "".join(f"| {verdict.excused.get(reason, 0):,} " for verdict in verdicts.values())
