"""What a run found: for people (Markdown), for programs (JSON), at a glance (PNG)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import plots, tables
from tests.bench.cells import CELLS
from tests.bench.contestants import APPS, ASIDE, ASIDE_SAYS, COMMON, WEBDIS, WEBDIS_SAYS
from tests.bench.cores import divide
from tests.bench.figures import Found
from tests.bench.goals import Verdict, judge
from tests.bench.machine import machine, versions
from tests.bench.plan import Plan
from tests.bench.sections import sections


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is written down. ``missing`` says who could not be had, and why."""

    plan: Plan
    command: str
    day: str
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    cores: str
    found: Mapping[str, Found] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def begin(cls, plan: Plan, *, command: str) -> Report:
        """Before anything is pinned or loaded."""
        day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        return cls(
            plan=plan, command=command, day=day, machine=machine(), versions=versions(), cores=divide().described
        )

    def ended(self, found: Mapping[str, Found], missing: Mapping[str, str], *, seconds: float) -> Report:
        return replace(self, found=found, missing=missing, seconds=seconds)

    def to_json(self) -> dict[str, Any]:
        verdicts = [
            {"target": v.goal.title, "wanted": v.goal.limit_text, "found": v.found and v.found._asdict(), "is": v.text}
            for v in judge(self.found)
        ]
        return {
            "command": self.command, "day": self.day, "seconds": self.seconds, "machine": dict(self.machine),
            "versions": dict(self.versions), "cores": self.cores, "plan": asdict(self.plan), "targets": verdicts,
            "missing": dict(self.missing), "cells": {name: found.to_json() for name, found in self.found.items()},
        }  # fmt: skip


def write_report(folder: Path, report: Report) -> None:
    """`README.md`, `benchmarks.json` and the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.json").write_text(json.dumps(report.to_json(), indent=1) + "\n")
    pictures = plots.draw(folder, report.found)
    (folder / "README.md").write_text(markdown(report, pictures))


def verdict_table(verdicts: list[Verdict]) -> Table:
    """For the console."""
    colours = {"reached": "green", "MISSED": "red", "NOT MEASURED": "yellow"}
    shown = Table("target", "wanted", "median", "min – max", "", box=None, header_style="dim")
    for verdict in verdicts:
        cells = tables.spread_cells(verdict.found)
        shown.add_row(verdict.goal.title, verdict.goal.limit_text, *cells, verdict.text, style=colours[verdict.text])
    return shown


def markdown(report: Report, pictures: Mapping[str, str]) -> str:
    """``pictures`` are file names, by what they show."""
    parts = [
        "# Benchmarks",
        _introduction(report),
        "## What was to be reached",
        tables.verdicts(judge(report.found)),
        _targets_are(report.plan),
        *_left_out(report),
        *sections(report.found, pictures),
        "## How each is set",
        COMMON,
        _settings(),
        "## Where",
        _where(report),
        "## Once more",
        "`make bench` runs all of it and writes this page, `benchmarks.json` with every single figure, and the "
        "pictures; `make bench ARGS=--quick` tells in three minutes whether all of it works, and writes to a temporary "
        "folder. `ARGS='--only warm cold'` measures some cells, `--rounds` and `--seconds` say how long. It needs wrk "
        "and, for that one line, webdis (`apt-get install wrk webdis`); servers and peers come by themselves.",
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(report: Report) -> str:
    plan = report.plan
    return (
        f"`{report.command}`, {report.day}, {report.seconds / 60:.0f} minutes. {report.machine['cores']} cores of "
        f"{report.machine['processor']}: {report.cores}. {plan.rounds} rounds; in each of them every target is loaded "
        f"for {plan.seconds:g} s after {plan.warmup_seconds:g} s of warm-up, one after the other; who begins "
        "changes. **Compare ratios, not figures**: each is made inside a round, where noise hits both sides alike."
    )


def _targets_are(plan: Plan) -> str:
    rows = "" if plan.rows == 1_000_000 else f" All keys are {plan.rows:,} here, where a full run has 1,000,000."
    return (
        "The median of the ratios of all rounds, the lowest and the highest. A round in which more than 0.1 % of the "
        f"requests of one side failed has no ratio.{rows}"
    )


def _left_out(report: Report) -> list[str]:
    lines = [f"- **{name}** took part in nothing: {why}" for name, why in report.missing.items()]
    titles = {cell.name: cell.title for cell in CELLS}
    for name, found in report.found.items():
        lines += [
            f"- **{titles[name]}**, {who}: {why}" for who, why in found.left_out.items() if who not in report.missing
        ]
    skipped = [cell.title for cell in CELLS if cell.name not in report.found]
    lines += [f"- not asked for: {'; '.join(skipped)}"] if skipped else []
    return ["## What is missing here", "\n".join(lines)] if lines else []


def _settings() -> str:
    said = {ASIDE: ASIDE_SAYS, WEBDIS: WEBDIS_SAYS, **{name: app.says for name, app in APPS.items()}}
    return "\n".join(f"- **{name}**: {says}." for name, says in said.items())


def _where(report: Report) -> str:
    about = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    machine = report.machine
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}; the load "
        f"average was {machine['load_at_start']:.2f} at the start. {about}. PostgreSQL has fsync, full_page_writes and "
        "synchronous_commit on; Valkey keeps nothing on disk. All of it on loopback."
    )
