"""`aside doctor`: what it prints, and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from service.cli.asking import KEY_VARIABLE, local_url
from service.cli.refusals import read_settings
from service.doctor.finding import Level, Section, verdict

WARNINGS, FAILURES = 1, 3

_SIGNS = {Level.OK: "[green]✓[/]", Level.WARN: "[yellow]![/]", Level.FAIL: "[bold red]✗[/]"}
_SUMMARIES = {
    Level.OK: "All is well.",
    Level.WARN: "It works. What is marked with ! could be better.",
    Level.FAIL: "What is marked with ✗ is wrong.",
}

Url = Annotated[str | None, typer.Option(help="The service to look at; the local one if not given.")]
Replicas = Annotated[int, typer.Option(min=1, max=1_000, help="How many replicas are to share these servers.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Strict = Annotated[bool, typer.Option("--strict", help="Let warnings, too, make an exit code other than 0.")]


def doctor(url: Url = None, *, replicas: Replicas = 1, as_json: Json = False, strict: Strict = False) -> None:
    """Look at PostgreSQL, Redis and the service, judge what is there, and say what to do. Nothing is written.

    Exit codes: 0 all is well, or warnings only; 1 warnings, with --strict; 2 settings that cannot be; 3 failures.
    """
    settings = read_settings()
    from service.doctor.examination import examine  # noqa: PLC0415 (slow to import, and needed here only)

    started = time.monotonic()
    base_url = url or local_url(settings)
    sections = asyncio.run(examine(settings, url=base_url, replicas=replicas, api_key=os.environ.get(KEY_VARIABLE)))
    worst = verdict(sections)
    if as_json:
        _print_json(sections, worst, seconds=time.monotonic() - started)
    else:
        _print(sections, worst)
    raise typer.Exit(exit_code_of(worst, strict=strict))


def exit_code_of(worst: Level, *, strict: bool) -> int:
    """0, 1 or 3: see `doctor`."""
    if worst is Level.FAIL:
        return FAILURES
    return WARNINGS if strict and worst is Level.WARN else 0


def _print(sections: Sequence[Section], worst: Level) -> None:
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    for section in sections:
        if section.findings:
            console.print(f"[bold]{escape(section.title)}[/]")
        for finding in section.findings:
            console.print(f"  {_SIGNS[finding.level]} {finding.check}: {escape(finding.found)}")
            if finding.todo:
                console.print(f"      → {escape(finding.todo)}")
    console.print(f"\n{_SUMMARIES[worst]}")


def _print_json(sections: Sequence[Section], worst: Level, *, seconds: float) -> None:
    findings = [
        {"at": section.title, "check": each.check, "level": each.level, "found": each.found, "todo": each.todo}
        for section in sections
        for each in section.findings
    ]
    typer.echo(json.dumps({"verdict": worst, "findings": findings, "seconds": round(seconds, 3)}, ensure_ascii=False))
