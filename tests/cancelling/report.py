"""What the storms found: JSON for programs, a short Markdown for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from tests.cancelling.findings import Findings


def write_report(folder: Path, legs: Mapping[str, Findings], *, command: str, seed: int) -> None:
    """`cancelling.json` and `cancelling.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "surroundings": {
            "command": command, "seed": seed, "python": platform.python_version(), "machine": platform.platform(),
            "cores": os.cpu_count(),
        },
        "legs": {name: found.to_json() for name, found in legs.items()},
    }  # fmt: skip
    (folder / "cancelling.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "cancelling.md").write_text(markdown(legs, command=command, seed=seed))


def markdown(legs: Mapping[str, Findings], *, command: str, seed: int) -> str:
    header = "| leg | cancelled | checked answers | honest errors | violations | leaks | cancelled/s |"
    rows = "\n".join(
        f"| {name} | {found.cancelled.total():,} | {found.checked.total():,} | {found.failed.total():,} "
        f"| {found.violation_count:,} | {len(found.leaks)} | {found.rate:,.0f} |"
        for name, found in legs.items()
    )
    parts = [
        f"# The cancel storm\n\n`{command}`, seed {seed}.\n\n{header}\n|{' --- |' * 7}\n{rows}\n",
        "An answer is checked for naming its own key, for a version that never goes back behind what was acknowledged "
        "or answered\nbefore the request began, and for being the one body of its version. A cancelled request was "
        "not answered. Leaks are\nwhatever was not as when calm, after the storm: tasks, flights, slots, places, "
        "open files, sessions of PostgreSQL, clients\nof Valkey. Then every key was read, and was what PostgreSQL "
        "had. Honest errors are those that the disturbances\nbring about.\n",
        *[_leg(name, found) for name, found in legs.items()],
    ]
    return "\n".join(parts)


def _leg(name: str, found: Findings) -> str:
    stages = "\n".join(f"| {stage} | {count:,} |" for stage, count in found.cancelled.most_common())
    disturbed = ", ".join(f"{kind} {count}×" for kind, count in found.disturbances.items()) or "none"
    wrong = "\n".join(f"- {line}" for line in (*found.violations, *found.leaks))
    text = f"## {name}\n\n| hit | requests |\n| --- | --- |\n{stages}\n\nDisturbances: {disturbed}.\n"
    return f"{text}\n{wrong}\n" if wrong else text
